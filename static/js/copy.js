// Copies a field's value. Without script the field is chosen and copied by hand, and no button shows.

const show = () => { for (const button of document.querySelectorAll("[data-copies]")) button.hidden = false; };
show();
document.addEventListener("htmx:historyRestore", show);

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy"); // pages that are not served by https
  }
  button.querySelector("span").textContent = "Copied";
  document.getElementById("announce").textContent = "The link was copied";
});
