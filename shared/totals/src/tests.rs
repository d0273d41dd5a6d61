use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const INSIDE: Taxes = Taxes { of_items: Tax::Inside, of_shipping: Tax::Inside };
const ON_TOP: Taxes = Taxes { of_items: Tax::OnTop, of_shipping: Tax::OnTop };

fn cents(minor: u64) -> Amount {
    Amount::from_minor(minor)
}

fn percent(thousandths: u32) -> Percent {
    Percent::from_thousandths(thousandths).expect("a part of a hundred")
}

fn line(price: u64, quantity: u32, thousandths: u32) -> Line {
    Line { price: cents(price), quantity, rate: percent(thousandths), discounted: true }
}

fn sent(price: u64, thousandths: u32) -> Option<Shipping> {
    Some(Shipping { price: cents(price), rate: percent(thousandths) })
}

fn total(lines: &[Line], discount: Discount, shipping: Option<Shipping>, taxes: Taxes) -> u64 {
    Totals::of(lines, discount, shipping, taxes).expect("a total").total.minor()
}

// C11.
#[test]
fn what_others_counted_a_cent_off_comes_out_right() {
    let two = [line(4_500, 1, 21_000), line(4_900, 1, 21_000)];
    let on_top = Taxes { of_shipping: Tax::OnTop, ..INSIDE };
    assert_eq!(total(&two, Discount::None, sent(496, 21_000), on_top), 10_000);
    assert_eq!(total(&[line(2_195, 4, 19_000)], Discount::None, sent(795, 19_000), INSIDE), 9_575);
    assert_eq!(total(&[line(14_995, 1, 0)], Discount::Part(percent(10_000)), None, INSIDE), 13_495);
    assert_eq!(total(&[line(1_999, 1, 10_000)], Discount::None, None, ON_TOP), 2_199);
}

// C8.
#[test]
fn a_discount_is_never_more_than_what_it_is_for() {
    let totals = Totals::of(&[line(400, 1, 0)], Discount::Sum(cents(500)), sent(490, 0), INSIDE);
    let totals = totals.expect("a total");
    assert_eq!((totals.discount, totals.total), (cents(400), cents(490)));
    let other = Line { discounted: false, ..line(300, 1, 0) };
    let totals = Totals::of(&[line(400, 1, 0), other], Discount::Sum(cents(500)), None, INSIDE);
    assert_eq!(totals.expect("a total").total, cents(300));
    assert_eq!(total(&[other], Discount::Part(percent(50_000)), None, INSIDE), 300, "it is for nothing");
}

#[test]
fn what_does_not_divide_goes_to_those_that_lost_most() {
    let shares = |lines: &[Line], minor| -> Vec<u64> {
        let totals = Totals::of(lines, Discount::Sum(cents(minor)), None, INSIDE).expect("a total");
        totals.lines.iter().map(|line| line.discount.minor()).collect()
    };
    assert_eq!(shares(&[line(100, 1, 0), line(100, 1, 0), line(100, 1, 0)], 100), [34, 33, 33]);
    // 33.1, 33.1 and 33.8 of 100.
    assert_eq!(shares(&[line(331, 1, 0), line(331, 1, 0), line(338, 1, 0)], 100), [33, 33, 34]);
    assert_eq!(shares(&[line(1, 1, 0), line(0, 5, 0), line(2, 1, 0)], 3), [1, 0, 2]);
}

#[test]
fn free_shipping_takes_its_tax_along() {
    let lines = [line(1_000, 2, 19_000)];
    let totals = Totals::of(&lines, Discount::Shipping, sent(490, 19_000), ON_TOP).expect("a total");
    assert_eq!((totals.total, totals.tax, totals.discount), (cents(2_380), cents(380), Amount::ZERO));
    assert_eq!(totals.shipping.total, Amount::ZERO);
}

#[test]
fn what_cannot_be_written_down_is_noticed() {
    let most = line(u64::MAX, 1, 100_000);
    assert_eq!(Totals::of(&[line(u64::MAX, 2, 0)], Discount::None, None, INSIDE), None);
    assert_eq!(Totals::of(&[most, most], Discount::None, None, INSIDE), None);
    assert_eq!(Totals::of(&[most], Discount::None, None, ON_TOP), None);
    assert!(Totals::of(&[most], Discount::Part(percent(33_333)), None, INSIDE).is_some());
}

#[test]
fn no_more_pieces_come_back_than_there_are() {
    assert_eq!(
        [(3, 1), (0, 4), (u32::MAX, 1)].map(|(already, more)| paid_back(cents(100), 3, already, more)),
        [None, None, None]
    );
    assert_eq!(paid_back(cents(100), 0, 0, 0), None);
    assert_eq!(
        [0, 1, 2].map(|already| paid_back(cents(100), 3, already, 1)),
        [33, 33, 34].map(|m| Some(cents(m)))
    );
}

fn rate() -> impl Strategy<Value = Percent> {
    prop_oneof![Just(0), Just(100_000), 0..=100_000_u32].prop_map(percent)
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let price = prop_oneof![0..=5_u64, 0..=100_000_000_u64].prop_map(cents);
    let quantity = prop_oneof![1..=3_u32, 1..=10_000_u32];
    let line = (price, quantity, rate(), any::<bool>());
    let line =
        line.prop_map(|(price, quantity, rate, discounted)| Line { price, quantity, rate, discounted });
    vec(line, 0..8)
}

fn discount() -> impl Strategy<Value = Discount> {
    prop_oneof![
        Just(Discount::None),
        Just(Discount::Shipping),
        rate().prop_map(Discount::Part),
        prop_oneof![0..=10_u64, 0..=100_000_000_u64].prop_map(|minor| Discount::Sum(cents(minor))),
    ]
}

fn shipping() -> impl Strategy<Value = Option<Shipping>> {
    let shipping =
        (0..=100_000_000_u64, rate()).prop_map(|(minor, rate)| Shipping { price: cents(minor), rate });
    proptest::option::of(shipping)
}

fn taxes() -> impl Strategy<Value = Taxes> {
    let tax = || prop_oneof![Just(Tax::Inside), Just(Tax::OnTop)];
    (tax(), tax()).prop_map(|(of_items, of_shipping)| Taxes { of_items, of_shipping })
}

fn sum_of(totals: &Totals, of: fn(&LineTotal) -> Amount) -> u64 {
    totals.lines.iter().map(|line| of(line).minor()).sum()
}

proptest! {
    #[test]
    fn the_parts_are_the_whole(lines in lines(), off in discount(), by in shipping(), taxes in taxes()) {
        let totals = Totals::of(&lines, off, by, taxes).unwrap();
        prop_assert_eq!(sum_of(&totals, |line| line.discount), totals.discount.minor());
        prop_assert_eq!(sum_of(&totals, |line| line.total) + totals.shipping.total.minor(), totals.total.minor());
        prop_assert_eq!(sum_of(&totals, |line| line.tax) + totals.shipping.tax.minor(), totals.tax.minor());
        prop_assert!(totals.discount <= totals.items);
        for (line, counted) in lines.iter().zip(&totals.lines) {
            prop_assert!(counted.discount <= counted.value);
            prop_assert!(line.discounted || counted.discount == Amount::ZERO);
        }
    }

    #[test]
    fn a_part_is_rounded_once_and_not_by_line(lines in lines(), part in rate()) {
        let totals = Totals::of(&lines, Discount::Part(part), None, INSIDE).unwrap();
        let of: u128 = lines.iter().zip(&totals.lines).filter(|(line, _)| line.discounted)
            .map(|(_, counted)| u128::from(counted.value.minor())).sum();
        let doubled = 2 * of * u128::from(part.thousandths());
        let off = 2 * 100_000 * u128::from(totals.discount.minor());
        // Within half a cent, and half a cent is one.
        prop_assert!(off.abs_diff(doubled) <= 100_000 && off + 100_000 > doubled);
    }

    #[test]
    fn tax_that_is_inside_changes_no_total(lines in lines(), off in discount(), by in shipping()) {
        let untaxed: Vec<_> = lines.iter().map(|line| Line { rate: Percent::ZERO, ..*line }).collect();
        let free = by.map(|by| Shipping { rate: Percent::ZERO, ..by });
        prop_assert_eq!(total(&lines, off, by, INSIDE), total(&untaxed, off, free, INSIDE));
    }

    #[test]
    fn where_a_line_stands_changes_no_total(
        (lines, moved) in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        off in discount(),
        by in shipping(),
        taxes in taxes(),
    ) {
        let (one, other) = (Totals::of(&lines, off, by, taxes), Totals::of(&moved, off, by, taxes));
        let seen = |totals: Option<Totals>| totals.map(|it| (it.items, it.discount, it.tax, it.total));
        prop_assert_eq!(seen(one), seen(other));
    }

    #[test]
    fn twice_as_much_never_costs_less(lines in lines(), off in discount(), by in shipping()) {
        let double = |line: &Line| Line { quantity: 2 * line.quantity, ..*line };
        let doubled: Vec<_> = lines.iter().map(double).collect();
        prop_assert!(total(&doubled, off, by, INSIDE) >= total(&lines, off, by, INSIDE));
    }

    #[test]
    fn a_line_that_comes_back_piece_by_piece_is_paid_back_exactly(
        minor in 0..=u64::MAX,
        parts in vec(0..=5_u32, 1..8),
    ) {
        let pieces: u32 = parts.iter().sum();
        prop_assume!(pieces > 0);
        let mut already = 0;
        let mut back = 0_u64;
        for more in parts {
            back += paid_back(cents(minor), pieces, already, more).unwrap().minor();
            prop_assert!(back <= minor);
            already += more;
        }
        prop_assert_eq!(back, minor);
    }
}

proptest! {
    #[test]
    fn what_is_shared_out_is_all_there_and_nobody_has_a_cent_more_or_less_than_their_share(
        total in 0..1_000_000_000_u64, weights in prop::collection::vec(0..1_000_000_u64, 1..20),
    ) {
        let amounts: Vec<_> = weights.iter().copied().map(Amount::from_minor).collect();
        let shares = shared_out(Amount::from_minor(total), &amounts).unwrap();
        prop_assert_eq!(shares.iter().map(|share| share.minor()).sum::<u64>(), total);
        let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        for (share, weight) in shares.iter().zip(&weights).filter(|_| sum > 0) {
            let exact = u128::from(total) * u128::from(*weight);
            prop_assert!(u128::from(share.minor()) >= exact / sum);
            prop_assert!(u128::from(share.minor()) <= exact.div_ceil(sum));
        }
    }
}

#[test]
fn what_is_left_of_sharing_out_goes_to_those_who_lost_most_of_a_cent() {
    let shared = |total, weights: &[u64]| {
        let weights: Vec<_> = weights.iter().copied().map(Amount::from_minor).collect();
        let shares = shared_out(Amount::from_minor(total), &weights);
        shares.map(|shares| shares.into_iter().map(Amount::minor).collect::<Vec<_>>())
    };
    assert_eq!(shared(490, &[900, 450]), Some(vec![327, 163]));
    assert_eq!(shared(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
    assert_eq!(shared(100, &[1, 2, 3]), Some(vec![17, 33, 50]));
    assert_eq!(shared(5, &[0, 7]), Some(vec![0, 5]));
    assert_eq!(shared(5, &[0, 0]), Some(vec![3, 2]), "what costs nothing is sent all the same");
    assert_eq!(shared(5, &[]), None);
}
