// How the page's language writes numbers and days, with its region: English here is that of the world, not of America.
export const locale = document.querySelector("meta[name=locale]").content;
