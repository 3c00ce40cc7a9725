// What the pages do beyond plain links and forms. Everything here is an extra: without it the pages still work.

document.addEventListener("htmx:afterSettle", () => {
  const heading = document.querySelector("main h1");
  const announce = document.getElementById("announce");
  if (heading && announce) announce.textContent = heading.textContent;
});
