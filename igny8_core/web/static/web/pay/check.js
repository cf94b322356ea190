// The customer is back from the gateway: ask it at once what became of the payment. The button does the same.
document.getElementById("check").requestSubmit();
