/**
 * Prices of the demo: what an article costs in a market, in its currency and in US dollars, with the tax in it.
 * Amounts are counted in hundredths and leave as numbers with two places.
 */
interface Currency {
  readonly code: string;
  /** Units for one US dollar. */
  readonly rate: number;
  /** Prices without fractions, rounded to this many units. */
  readonly step?: number;
}

const currencies: Readonly<Record<string, Currency>> = {
  GB: { code: 'GBP', rate: 0.79 },
  CN: { code: 'CNY', rate: 6.8, step: 1 },
  JP: { code: 'JPY', rate: 141, step: 10 },
  IN: { code: 'INR', rate: 74, step: 5 },
  BR: { code: 'BRL', rate: 4.9 },
  CA: { code: 'CAD', rate: 1.34 },
  AU: { code: 'AUD', rate: 1.49 },
  MX: { code: 'MXN', rate: 17.6, step: 1 },
  PL: { code: 'PLN', rate: 4 },
  CH: { code: 'CHF', rate: 0.91 },
  SE: { code: 'SEK', rate: 10.3, step: 1 },
  KR: { code: 'KRW', rate: 1310, step: 100 },
};
const euro: Currency = { code: 'EUR', rate: 0.92 };
const euroMarkets = new Set('DE FR IT ES NL BE AT PT FI IE GR SK HR LT EE'.split(' '));
const dollar: Currency = { code: 'USD', rate: 1 };
/** Percent of value-added tax within the price. */
const taxes: Readonly<Record<string, number>> = {
  GB: 20,
  DE: 19,
  FR: 20,
  IT: 22,
  ES: 21,
  NL: 21,
  AU: 10,
  JP: 10,
  KR: 10,
  PL: 23,
};

/** The amounts of an acquisition row, for a price in cents of US dollars. Nothing for a free article. */
export function amounts(cents: number, quantity: number, market: string) {
  if (cents === 0) return {};
  const currency = euroMarkets.has(market) ? euro : (currencies[market] ?? dollar);
  const units = (cents * currency.rate) / 100;
  // Prices end with .99, or on a round step where the currency has no use for fractions.
  const local =
    currency.code === 'USD'
      ? cents
      : currency.step === undefined
        ? Math.max(1, Math.round(units)) * 100 - 1
        : Math.max(1, Math.round(units / currency.step)) * currency.step * 100;
  const percent = taxes[market] ?? 0;
  const tax = (price: number) => Math.round((price * quantity * percent) / (100 + percent)) / 100;
  return {
    purchasePriceUSDAmount: (cents * quantity) / 100,
    purchasePriceLocalAmount: (local * quantity) / 100,
    purchaseTaxUSDAmount: tax(cents),
    purchaseTaxLocalAmount: tax(local),
    localCurrencyCode: currency.code,
  };
}
