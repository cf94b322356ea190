// Stripe's form for a card, loaded when somebody wants it. The number goes from here to Stripe and never to us.
let loading;

function loaded(address) {
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", () => done(window.Stripe));
    script.addEventListener("error", () => {
      loading = undefined;
      failed(new Error("Stripe.js"));
    });
    document.head.append(script);
  });
  return loading;
}

// Show the form in `place`; the answer confirms what is typed into it. Throws where Stripe cannot be reached.
export async function cardForm(place, { script, publicKey, clientSecret }) {
  const Stripe = await loaded(script);
  const stripe = Stripe(publicKey);
  const isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const elements = stripe.elements({ clientSecret, appearance: { theme: isDark ? "night" : "stripe" } });
  place.replaceChildren();
  place.hidden = false;
  elements.create("payment").mount(place);
  const confirmParams = (address) => ({ elements, confirmParams: { return_url: address } });
  return {
    pay: (address) => stripe.confirmPayment(confirmParams(address)),
    save: (address) => stripe.confirmSetup({ ...confirmParams(address), redirect: "if_required" }),
  };
}

// The page of a stand-in for Stripe, which leads back to `address`.
export function toStandIn(standIn, clientSecret, address) {
  location.assign(`${standIn}?${new URLSearchParams({ client_secret: clientSecret, return_url: address })}`);
  return left();
}

// The page is being left: whoever waits for this waits until it is gone.
export const left = () => new Promise(() => {});
