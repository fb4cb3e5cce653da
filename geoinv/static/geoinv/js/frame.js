// Keep the place on the map (the part after #) when the language is switched or when one signs in.
for (const form of document.querySelectorAll("form.language")) {
  form.addEventListener("submit", () => { form.action = form.action.split("#")[0] + location.hash; });
}
for (const link of document.querySelectorAll("a[data-sign-in]")) {
  link.addEventListener("click", () => {
    const here = location.pathname + location.search + location.hash;
    link.href = `${link.pathname}?next=${encodeURIComponent(here)}`;
  });
}
