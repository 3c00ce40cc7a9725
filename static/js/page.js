// What the other scripts ask of a page. All of them are extras: without script the pages still work.

export const $ = (selector, from = document) => from.querySelector(selector);
export const all = (selector, from = document) => [...from.querySelectorAll(selector)];
export const main = () => $("main[data-view]");
export const say = (words) => { $("#announce").textContent = words; };
export const style = (name) => parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name));
export const here = () => location.pathname + location.search;
export const isGrid = (day) => day && getComputedStyle(day).display === "grid";
