// Who has just ordered goes on to the card form at once. Who comes back from there stays here: sent on again, they
// could never leave it with the Back button.
const [way] = performance.getEntriesByType("navigation");
if (!way || way.type === "navigate") document.getElementById("to-card").requestSubmit();
