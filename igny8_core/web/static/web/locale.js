// How the page's language writes numbers and days, with its region: English here is that of the world, not of America.
export const locale = document.querySelector("meta[name=locale]").content;

// Day and time as the server writes times, from 0:00 to 23:59 in every language.
export const dayAndTime = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" };
