// Names of volumes beside each other: the file's, and as much of its way as tells them apart.

/** A name for each volume {file, header}. */
export function namesOf(volumes) {
  const ways = volumes.map(({ file }) => file.split("/").filter(Boolean));
  return volumes.map(({ file, header }, i) => {
    const others = volumes.filter((other) => other.file !== file && other.header.name === header.name);
    if (!others.length) return header.name;
    for (let length = 2; length <= ways[i].length; length++) {
      const end = ways[i].slice(-length).join("/");
      if (!others.some((other) => `/${other.file}`.endsWith(`/${end}`))) return end;
    }
    return file;
  });
}
