// The texts of scripts. They stand in the page's <template id="words">, where they are translated with it.
const place = document.getElementById("words");

// The text `name`; {time} in it becomes values.time.
export function word(name, values = {}) {
  const text = place.content.querySelector(`[data-word="${name}"]`).textContent;
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

export const loginAddress = place.dataset.login;
export const language = document.documentElement.lang;
