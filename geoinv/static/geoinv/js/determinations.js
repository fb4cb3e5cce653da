// Mark all records of the page at once; without this script each is marked by hand.
const all = document.querySelector("#all");
const marks = [...document.querySelectorAll('#batch input[name="code"]:not(:disabled)')];

if (all && marks.length) {
  all.hidden = false;
  const settle = () => {
    const marked = marks.filter((one) => one.checked).length;
    all.checked = marked === marks.length;
    all.indeterminate = marked > 0 && marked < marks.length;
  };
  all.addEventListener("change", () => marks.forEach((one) => { one.checked = all.checked; }));
  marks.forEach((one) => one.addEventListener("change", settle));
  settle();
}
