/* Mark or unmark all rows of a form by the box in the head of its table. */

for (const all of document.querySelectorAll("[data-mark-all]")) {
  const boxes = [...all.closest("form").querySelectorAll('tbody input[type="checkbox"]')].filter((box) => !box.disabled);
  const reflect = () => {
    const marked = boxes.filter((box) => box.checked).length;
    all.checked = marked > 0 && marked === boxes.length;
    all.indeterminate = marked > 0 && marked < boxes.length;
  };
  all.hidden = boxes.length === 0;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) box.addEventListener("change", reflect);
  reflect();
}
