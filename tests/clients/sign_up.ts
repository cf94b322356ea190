// Signs up, logs in, confirms the payment and reads the invoice with the types that openapi-typescript makes.
//
//   npx tsc && node sign_up.js http://localhost:8011 paula@example.com 'long and unusual 7'
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Refusal = components["schemas"]["ErrorEnvelope"];

// The data of an answer; a refusal is thrown with its sentence.
function answered<Data>(answer: { data?: { data: Data }; error?: Refusal }): Data {
  if (!answer.data) throw new Error(`${answer.error?.code}: ${answer.error?.message}`);
  return answer.data.data;
}

const [server, email, password] = process.argv.slice(2);
if (!server || !email || !password) throw new Error("Name the server, an e-mail address and a password.");
const api = createClient<paths>({ baseUrl: server });

const signup = answered(
  await api.POST("/api/v1/auth/register/", {
    body: {
      email,
      password,
      password_confirm: password,
      first_name: "Paula",
      last_name: "Khan",
      plan_slug: "starter",
      payment_method: "bank_transfer",
      billing_country: "PK",
    },
  }),
);
if (!signup.invoice) throw new Error("A paid plan has an invoice.");
const path = { invoice_id: signup.invoice.id };

const session = answered(await api.POST("/api/v1/auth/login/", { body: { email, password } }));
const headers = { Authorization: `Bearer ${session.token}` };

const confirmation = answered(
  await api.POST("/api/v1/billing/admin/payments/confirm/", {
    headers,
    body: {
      invoice_id: signup.invoice.id,
      payment_method: "bank_transfer",
      amount: signup.invoice.total,
      manual_reference: "BT-20261208-12345",
    },
  }),
);

const invoice = answered(await api.GET("/api/v1/billing/invoices/{invoice_id}/", { headers, params: { path } }));
const pdf = await api.GET("/api/v1/billing/invoices/{invoice_id}/pdf/", { headers, params: { path }, parseAs: "text" });

console.log(
  JSON.stringify({
    number: invoice.invoice_number,
    total: invoice.total,
    confirmation: confirmation.status,
    pdf: pdf.data?.slice(0, 5),
  }),
);
