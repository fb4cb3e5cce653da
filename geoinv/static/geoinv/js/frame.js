// Keep the place on the map (the part after #) when the language is switched.
for (const form of document.querySelectorAll("form.language")) {
  form.addEventListener("submit", () => { form.action = form.action.split("#")[0] + location.hash; });
}
