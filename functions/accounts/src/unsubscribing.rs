//! The page that the link of an email leads to. Opening it changes nothing, since programs open links before people do;
//! its button does, and so do mail programs by themselves (RFC 8058). It says nothing of whose emails they are: a link
//! may have been passed on.

use anyhow::Context;
use askama::Template;
use shared::http::Html;
use shared::letters::Language;
use users::{Group, Unsubscribed, Way};

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct Unsubscribe {
    words: Words,
    is_on: bool,
}

struct Words {
    tag: &'static str,
    title: &'static str,
    asks: String,
    button: &'static str,
    done: String,
    always: &'static str,
}

impl Words {
    fn of(language: Language, group: Group) -> Self {
        let tag = language.tag();
        match language {
            Language::English => {
                let of = match group {
                    Group::Orders => "your orders",
                    Group::Sales => "what you sell",
                    Group::Reviews => "reviews",
                    Group::Marketing => "what the shop offers",
                };
                Self {
                    tag,
                    title: "Emails from Cartwright",
                    asks: format!("You get emails about {of}. With this button they stop."),
                    button: "Stop these emails",
                    done: format!("You get no emails about {of}."),
                    always: "Emails about your orders and your account always come. All else you choose in the shop, \
                             once you have signed in.",
                }
            }
            Language::German => {
                let of = match group {
                    Group::Orders => "Ihren Bestellungen",
                    Group::Sales => "dem, was Sie verkaufen",
                    Group::Reviews => "Bewertungen",
                    Group::Marketing => "Angeboten des Shops",
                };
                Self {
                    tag,
                    title: "E-Mails von Cartwright",
                    asks: format!("Sie bekommen E-Mails zu {of}. Mit diesem Knopf hört das auf."),
                    button: "Keine solchen E-Mails mehr",
                    done: format!("Sie bekommen keine E-Mails zu {of}."),
                    always: "E-Mails zu Ihren Bestellungen und Ihrem Konto kommen immer. Alles andere wählen Sie im \
                             Shop, wenn Sie angemeldet sind.",
                }
            }
        }
    }
}

/// What a link is about, as a page: with a button while such emails come.
///
/// # Errors
/// When the template cannot be filled in.
pub fn page(found: &Unsubscribed) -> anyhow::Result<Html> {
    let Unsubscribed { group, profile } = found;
    let words = Words::of(profile.language(), *group);
    let page = Unsubscribe { words, is_on: profile.wants(*group, Way::Email) };
    page.render().map(Html).context("fill in a page")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shown(with: &Value) -> String {
        let mut item = json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        });
        item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        let profile = serde_json::from_value(item).unwrap();
        page(&Unsubscribed { group: Group::Sales, profile }).unwrap().0
    }

    #[test]
    fn while_such_emails_come_the_page_has_a_button_and_afterwards_none() {
        let before = shown(&json!({}));
        assert!(
            before.contains("You get emails about what you sell.")
                && before.contains("<form method=\"post\">")
        );
        let after = shown(&json!({ "salesEmail": false }));
        assert!(
            after.contains("You get no emails about what you sell.") && !after.contains("<form"),
            "{after}"
        );
        let german = shown(&json!({ "locale": "de" }));
        assert!(
            german.contains("<html lang=\"de\">") && german.contains("Keine solchen E-Mails mehr"),
            "{german}"
        );
    }

    #[test]
    fn the_page_says_nothing_of_the_person_and_loads_nothing() {
        let page = shown(&json!({}));
        for word in ["Ann", "example.com", "5d0c", "http", "src=", "style"] {
            assert!(!page.contains(word), "{word} is in {page}");
        }
    }
}
