// The key / leads to the search from every page of the console, except while somebody types. On lists, too: it is heard
// before the theme, which would lead to the search of the list.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  if (at.isContentEditable || at.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=submit])")) return;
  if (document.querySelector("dialog[open]")) return;
  const fields = document.querySelectorAll(".console-search-page input, [data-console-search] input");
  const field = [...fields].find((each) => each.offsetParent);
  event.preventDefault();
  event.stopPropagation();
  if (!field) {
    document.querySelector(".console-search-link")?.click();
    return;
  }
  field.focus();
  field.select();
}, { capture: true });
