// Dark or light, before the first paint: what was chosen here before, or else what the system says.
(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("icelens-theme");
  const apply = () => {
    document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
    document.dispatchEvent(new CustomEvent("themechange"));
  };
  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === "icelens-theme" && apply());
  window.icelensToggleTheme = () => {
    const dark = document.documentElement.dataset.theme === "dark";
    localStorage.setItem("icelens-theme", dark ? "light" : "dark");
    apply();
  };
})();
