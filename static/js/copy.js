// Copies a field's value. Without script the field is chosen and copied by hand, and no button shows.

for (const button of document.querySelectorAll("[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const label = button.querySelector("span");
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // pages that are not served by https
    }
    label.textContent = "Copied";
    document.getElementById("announce").textContent = "The link was copied";
  });
}
