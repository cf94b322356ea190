// Shows the OpenAPI document in the page; the document's address is on the element.
"use strict";

const place = document.getElementById("reference");

Redoc.init(
  place.dataset.document,
  {
    hideDownloadButtons: true,
    requiredPropsFirst: true,
    nativeScrollbars: true,
    expandResponses: "200,201",
    jsonSampleExpandLevel: 4,
    theme: {
      colors: { primary: { main: "#1d4ed8" } },
      typography: { fontFamily: "inherit", headings: { fontFamily: "inherit" }, fontSize: "15px" },
      sidebar: { width: "300px" },
    },
  },
  place,
  (problem) => {
    if (problem) place.textContent = "The reference could not be loaded. Load the page again in a minute.";
  },
);
