// The sheet over the calendar: the quick form, or a question.

import { $ } from "./page.js";

export const openSheet = (address) => htmx.ajax("GET", address, { target: "#sheet", select: "#sheet-body", swap: "innerHTML" });

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "sheet") return;
  const sheet = $("#sheet-dialog");
  if (!sheet.open) sheet.showModal();
  ($("[aria-invalid], select[name=client], input[name=start_time], input, button", $("#sheet")) ?? sheet).focus();
});

document.addEventListener("change", (event) => {
  const minutes = event.target.name === "type" && event.target.selectedOptions[0]?.dataset.minutes;
  if (minutes) event.target.form.elements.duration.value = minutes;
});
