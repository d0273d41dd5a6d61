// What the shop is, as whoever serves the page has written it into it: { name, currency, country, cards, guestCash,
// providers, socket }.

export const settings = {
  name: "Cartwright", currency: "USD", country: "US", cards: false, guestCash: false, providers: [], socket: "",
  ...JSON.parse(document.getElementById("settings")?.textContent || "{}"),
};
