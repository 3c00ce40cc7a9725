// The menu of the calendar; its arrow keys are in keys.js.

import { $ } from "./page.js";
import { openSheet } from "./sheet.js";

document.addEventListener("toggle", (event) => {
  if (event.target.id === "more" && event.newState === "open") $("[role=menuitem]", event.target).focus();
}, true);

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#print")) { $("#more").hidePopover(); print(); }
  const sheetLink = event.target.closest?.("#shortcuts");
  if (sheetLink && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $("#more").hidePopover();
    openSheet(sheetLink.href);
  }
});
