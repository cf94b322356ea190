// The key / leads to the search from every page of the console, except while somebody types.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  if (at.isContentEditable || at.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=submit])")) return;
  if (document.querySelector("dialog[open]")) return;
  const fields = document.querySelectorAll("main input[name=q], [data-console-search] input, .console-search-page input");
  const field = [...fields].find((each) => each.offsetParent);
  event.preventDefault();
  if (!field) {
    document.querySelector(".console-search-link")?.click();
    return;
  }
  field.focus();
  field.select();
});
