// The page of a unit: what a person cites is printed as it stands.
document.querySelector("#print").addEventListener("click", () => window.print());
