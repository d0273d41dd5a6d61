// What the shop is, as whoever serves the page has written it into it: { name, currency, country, cards, guestCash,
// providers, live }.

export const settings = {
  name: "Cartwright",
  currency: "USD",
  country: "US",
  cards: false,
  guestCash: false,
  providers: [],
  live: false,
  ...JSON.parse(document.getElementById("settings")?.textContent || "{}"),
};
