//! The end of accounts: whoever leaves is gone from everywhere and was told once, and whoever owes something stays.

use super::Checks;
use crate::history::History;
use crate::leaving::{EVERYWHERE, Left};

impl Checks<'_> {
    /// Nothing is left of who has left, and nothing was taken from who stays; each was told so.
    pub(super) fn whoever_leaves_is_gone(&mut self, history: &History) {
        const NAME: &str = "whoever leaves is gone";
        let world = self.world;
        for (person, leaving) in history.all_leaving() {
            if !leaving.is_answered() {
                let what = format!("asked for the end of the account until all was well: {leaving:?}");
                self.add("every request is answered", &person, what);
            }
            let Some(left) = world.left.get(&person) else {
                self.add(NAME, &person, "nobody looked what is left".into());
                continue;
            };
            for log in left.places.iter().filter(|place| is_a_log(place)) {
                self.add("no log names anybody", &person, format!("{log} does"));
            }
            if leaving.owes {
                self.whoever_owes_stays(&person, left);
                continue;
            }
            if let Some(status) = &left.status {
                self.add(NAME, &person, format!("the account is {status} after {leaving:?}"));
            }
            for place in left.places.iter().filter(|place| !is_a_log(place)) {
                self.add(NAME, &person, format!("something is left in {place}"));
            }
            for way in &left.opens {
                self.add(NAME, &person, format!("{way} still lets in"));
            }
            if left.deleted == 0 {
                self.add(NAME, &person, "no letter says that the account is deleted".into());
            }
        }
    }

    fn whoever_owes_stays(&mut self, person: &str, left: &Left) {
        const NAME: &str = "whoever owes something stays";
        if left.status.as_deref() != Some("active") {
            self.add(NAME, person, format!("the account is {:?}", left.status));
        }
        for place in EVERYWHERE.iter().filter(|place| !left.places.contains(**place)) {
            self.add(NAME, person, format!("{place} has nothing any more"));
        }
        if !left.opens.contains("sign-in") {
            self.add(NAME, person, format!("nothing but {:?} lets in", left.opens));
        }
        if left.kept == 0 || left.deleted > 0 {
            let what =
                format!("{} letters say that it is deleted, {} that it is not", left.deleted, left.kept);
            self.add(NAME, person, what);
        }
    }

    /// Nobody is gone who waits for an order, or has to send one.
    pub(super) fn nobody_leaves_an_order_behind(&mut self) {
        const NAME: &str = "whoever owes something stays";
        let world = self.world;
        for (id, order) in &world.orders {
            if !["awaiting_payment", "pending"].contains(&order.status.as_str()) {
                continue;
            }
            let people = order.sold_by.keys().chain([&order.buyer]);
            for person in people.filter(|person| world.is_gone(person)) {
                self.add(NAME, person, format!("is gone, and the order {id} is {}", order.status));
            }
        }
    }

    /// What only those reviewed who would leave has all the stars that they gave, whether or not they have left.
    pub(super) fn reviews_keep_their_stars(&mut self, history: &History) {
        const NAME: &str = "reviews keep their stars";
        for (product, stars) in history.keepsakes() {
            let totals = self.world.reviews.totals.get(&product).copied().unwrap_or_default();
            if totals != stars {
                self.add(NAME, &product, format!("it was given {stars:?}, and has {totals:?}"));
            }
        }
    }

    /// The letters about accounts that went out again: whose, and what they say. Each time that somebody asks may be a
    /// wish of its own, which has an answer of its own.
    pub(super) fn told_again_of_accounts(&self, history: &History) -> Vec<(String, String)> {
        let mut again = Vec::new();
        for (person, leaving) in history.all_leaving() {
            let Some(left) = self.world.left.get(&person) else { continue };
            for (kind, count, most) in
                [("deleted", left.deleted, 1), ("kept", left.kept, leaving.answers.len())]
            {
                let told = || (person.clone(), format!("that the account is {kind}"));
                again.extend((most..count).map(|_| told()));
            }
        }
        again
    }
}

fn is_a_log(place: &str) -> bool {
    place.ends_with(".log")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::history::History;
    use crate::inboxes::Inbox;
    use crate::invariants::tests::{after, after_all, order};
    use crate::leaving::{EVERYWHERE, Left};
    use crate::reviews::{Review, Said};
    use crate::world::{Letter, World};

    const GONE: &str = "whoever leaves is gone";
    const STAYS: &str = "whoever owes something stays";

    /// Ann leaves, who bought the tea: the order has nothing of her any more, and the review neither.
    fn leaves(history: &mut History, world: &mut World) {
        history.leaving("ann", |leaving| {
            leaving.email = "ann@cartwright.test".into();
            leaving.answers = vec![502, 202, 404];
        });
        order(world).email = "former-customer@deleted.invalid".into();
        order(world).had.clear();
        let key = ("tea".to_owned(), "ann".to_owned());
        history.said(&key, |_| None);
        history.gave_stars("tea", 4);
        world.reviews.all.clear();
        let said = Said { stars: 4, is_shown: true };
        world.reviews.all.insert(("tea".into(), "former".into()), Review { said, is_listed_right: true });
        world.reviews.purchases.clear();
        world.told.clear();
        world.inboxes.clear();
        let to = "ann@cartwright.test".to_owned();
        world.letters = vec![Letter { order: "order".into(), to, text: String::new() }];
        world.left.insert("ann".into(), Left { deleted: 1, ..Left::default() });
    }

    /// What is broken after she left and something was changed.
    fn left(change: impl FnOnce(&mut History, &mut World)) -> BTreeSet<&'static str> {
        after_all(|history, world| {
            leaves(history, world);
            change(history, world);
        })
    }

    fn ann(world: &mut World) -> &mut Left {
        world.left.get_mut("ann").unwrap()
    }

    #[test]
    fn nothing_is_broken_when_somebody_has_left() {
        assert_eq!(left(|_, _| {}), BTreeSet::new());
    }

    #[test]
    fn whatever_is_left_of_somebody_who_has_left_is_noticed() {
        let gone: BTreeSet<&str> = [GONE].into();
        for place in EVERYWHERE.into_iter().chain(["GuardsTable", "EmailsQueueUrl", "SearchBucket"]) {
            assert_eq!(left(|_, world| ann(world).places.extend([place.into()])), gone, "{place}");
        }
        let in_a_log = left(|_, world| ann(world).places.extend(["cartwright-local-sign-in.log".into()]));
        assert_eq!(in_a_log, ["no log names anybody"].into());
        for way in ["sign-in", "refresh-token", "a token"] {
            assert_eq!(left(|_, world| ann(world).opens.extend([way])), gone, "{way}");
        }
        assert_eq!(left(|_, world| world.left.clear()).intersection(&gone).count(), 1, "nobody looked");
        let inbox = |_: &mut History, world: &mut World| {
            let told = [("1".to_owned(), ("order.placed".to_owned(), "order".to_owned()))].into();
            world.inboxes.insert("ann".into(), Inbox { told, unread: ["1".to_owned()].into() });
        };
        assert_eq!(left(inbox), ["inboxes have what happened"].into());
        let log = |_: &mut History, world: &mut World| {
            world.told.insert("order".into(), vec!["order.placed".into()]);
        };
        assert_eq!(left(log), ["what happened is told"].into());
        let purchase = |_: &mut History, world: &mut World| {
            world.reviews.purchases.insert(("tea".into(), "ann".into()), ["order".to_owned()].into());
        };
        assert_eq!(left(purchase), ["who has what they bought"].into());
    }

    #[test]
    fn who_is_still_there_was_not_told_or_is_told_again_is_noticed() {
        let active = left(|_, world| ann(world).status = Some("deleting".into()));
        assert!(active.contains(GONE), "{active:?}");
        assert_eq!(left(|_, world| ann(world).deleted = 0), [GONE].into());
        assert_eq!(left(|_, world| ann(world).deleted = 2), ["no email twice"].into());
        let counted = |_: &mut History, world: &mut World| {
            ann(world).deleted = 2;
            world.counted_duplicates = 1;
        };
        assert_eq!(left(counted), BTreeSet::new());
        // Told that something is owed, each time that she asked, then it was not any more.
        assert_eq!(left(|_, world| ann(world).kept = 3), BTreeSet::new());
        assert_eq!(left(|_, world| ann(world).kept = 4), ["no email twice"].into());
        let unanswered = |history: &mut History, _: &mut World| {
            history.leaving("ann", |leaving| leaving.answers.push(500));
        };
        assert_eq!(left(unanswered), ["every request is answered"].into());
        let to_nobody = |_: &mut History, world: &mut World| {
            world.letters[0].to = "former-customer@deleted.invalid".into();
        };
        assert_eq!(left(to_nobody), ["every guest is told"].into());
    }

    #[test]
    fn stars_that_went_with_their_author_are_noticed() {
        let stars = "reviews keep their stars";
        let lost = |_: &mut History, world: &mut World| {
            world.reviews.all.clear();
            world.reviews.totals.clear();
        };
        assert_eq!(left(lost), [stars].into());
        assert_eq!(left(|history, _| history.gave_stars("tea", 5)), [stars].into());
    }

    /// What is broken where Ann asked and owes something, after something of that was changed.
    fn stays(change: impl FnOnce(&mut Left)) -> BTreeSet<&'static str> {
        after(|history, world| {
            history.leaving("ann", |leaving| {
                leaving.answers = vec![202];
                leaving.owes = true;
            });
            let mut left = Left {
                status: Some("active".into()),
                places: EVERYWHERE.map(str::to_owned).into(),
                opens: ["sign-in", "refresh-token", "a token"].into(),
                deleted: 0,
                kept: 1,
            };
            change(&mut left);
            world.left.insert("ann".into(), left);
        })
    }

    #[test]
    fn who_owes_something_and_was_not_told_or_lost_something_is_noticed() {
        let noticed: BTreeSet<&str> = [STAYS].into();
        assert_eq!(stays(|_| {}), BTreeSet::new());
        for place in EVERYWHERE {
            let lost = |left: &mut Left| left.places.retain(|other| other != place);
            assert_eq!(stays(lost), noticed, "{place}");
        }
        assert_eq!(stays(|left| left.status = Some("deleting".into())), noticed);
        assert_eq!(stays(|left| left.opens.retain(|way| *way != "sign-in")), noticed);
        assert_eq!(stays(|left| left.kept = 0), noticed);
        assert_eq!(stays(|left| left.deleted = 1), noticed);
        assert!(stays(|left| left.status = None).contains(STAYS));
    }

    #[test]
    fn an_order_that_waits_for_somebody_who_is_gone_is_noticed() {
        let waits = |buyer: &'static str, seller: &'static str| {
            left(|_, world| {
                order(world).buyer = buyer.into();
                order(world).status = "pending".into();
                order(world).sold_by.insert(seller.into(), vec![("tea".into(), 2)]);
            })
        };
        assert!(waits("ann", "sue").contains(STAYS), "nobody to send it to");
        assert!(waits("bob", "ann").contains(STAYS), "nobody to send it");
        assert!(!waits("bob", "sue").contains(STAYS));
    }
}
