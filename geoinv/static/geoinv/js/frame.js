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
// The menu of further pages closes as menus do: by Escape, and when one goes elsewhere.
const more = document.querySelector(".top-more");
if (more) {
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !more.open) return;
    event.stopPropagation();
    more.open = false;
    more.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => { if (!more.contains(event.target)) more.open = false; });
  more.addEventListener("focusout", (event) => { if (event.relatedTarget && !more.contains(event.relatedTarget)) more.open = false; });
}
