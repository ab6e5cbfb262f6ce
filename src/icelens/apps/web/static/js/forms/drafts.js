// Keep what is typed in the browser, so that nothing is lost when a page is closed.
const DAYS = 30;

export class Draft {
  constructor(form) {
    const { project, job, number, origin } = form.dataset;
    this.key = `icelens-form-${project}-${job}-${number || origin || "new"}`;
  }

  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
      return kept && Date.now() - kept.time < DAYS * 86400e3 ? kept : null;
    } catch {
      return null;
    }
  }

  keep(values) {
    try {
      if (Object.keys(values).length) localStorage.setItem(this.key, JSON.stringify({ time: Date.now(), values }));
      else this.forget();
    } catch {
      // private windows and full stores: the form works without
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.key);
    } catch {
      // as above
    }
  }
}
