// What the libraries leave without a name for who does not see the page. They make their fields when the page has
// loaded, by scripts that may stand after this one.
addEventListener("load", () => setTimeout(() => {
  // Django's chooser of several rows names a mere span, which may have no name: it is a picture.
  for (const icon of document.querySelectorAll(".selector .search-label-icon")) icon.setAttribute("role", "img");
  // A field that searches rows is named by what is chosen, and has no name before.
  for (const box of document.querySelectorAll(".select2-selection")) {
    const label = box.closest(".select2").previousElementSibling?.labels?.[0];
    const chosen = box.querySelector(".select2-selection__rendered");
    if (!label || !chosen) continue;
    label.id ||= `${label.htmlFor}_label`;
    // Where several can be chosen, what is typed goes into the field itself.
    box.querySelector(".select2-search__field")?.setAttribute("aria-labelledby", label.id);
    box.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
    if (chosen.getAttribute("role") === "textbox") chosen.setAttribute("aria-labelledby", label.id);
  }
}));
