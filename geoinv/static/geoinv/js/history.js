// The form of the history: days or rounds are chosen, and what is not asked for is not sent.
const form = document.querySelector(".history-choose");

function show(by) {
  for (const field of form.querySelectorAll("[data-by]")) {
    field.hidden = field.dataset.by !== by;
    for (const input of field.querySelectorAll("input, select")) input.disabled = field.hidden;
  }
}

for (const one of form.elements.by) one.addEventListener("change", () => show(one.value));
