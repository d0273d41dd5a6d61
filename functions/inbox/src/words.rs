//! What notifications say, said when they are read: in English, or in German.

use shared::http::Parameter;
use shared::values::text::isolated;

use crate::{About, Kind};

shared::names!(
    /// The languages there are.
    pub enum Language {
        /// Unless told otherwise.
        English = "en",
        /// Where it is asked for.
        German = "de",
    }
);

impl Parameter for Language {
    const NAME: &'static str = "locale";
}

impl Language {
    /// The sentence that tells of this.
    pub fn says(self, kind: Kind, about: Option<&About>) -> String {
        let what = about.map(|about| self.names(about));
        match self {
            Self::English => english(kind, what.as_deref()),
            Self::German => german(kind, what.as_deref()),
        }
    }

    fn names(self, About { name, others }: &About) -> String {
        let name = isolated(name);
        match (self, others) {
            (Self::English, 0) => format!("“{name}”"),
            (Self::English, 1) => format!("“{name}” and another product"),
            (Self::English, others) => format!("“{name}” and {others} other products"),
            (Self::German, 0) => format!("„{name}“"),
            (Self::German, 1) => format!("„{name}“ und einem weiteren Artikel"),
            (Self::German, others) => format!("„{name}“ und {others} weiteren Artikeln"),
        }
    }
}

fn english(kind: Kind, what: Option<&str>) -> String {
    let of = what.map(|what| format!(" of {what}")).unwrap_or_default();
    let named = what.map(|what| format!(" {what}")).unwrap_or_default();
    match kind {
        Kind::OrderPlaced => format!("We have your order{of}."),
        Kind::OrderPaid => format!("Your order{of} is paid."),
        Kind::OrderShipped => format!("Your order{of} is on its way."),
        Kind::ParcelSent => format!("A part of your order is on its way: a parcel{of}."),
        Kind::ParcelRefused => format!("A part of your order is not coming: a parcel{of}."),
        Kind::OrderDelivered => format!("Your order{of} has arrived."),
        Kind::OrderCancelled => format!("Your order{of} is cancelled."),
        Kind::OrderRefunded => format!("Money for your order{of} is on its way back to you."),
        Kind::SaleMade => format!("You have a new order{of} to send."),
        Kind::ProductApproved => format!("Your product{named} is for sale."),
        Kind::ProductRejected => format!("Your product{named} was not approved. Its page says why."),
        Kind::ProductRanLow => format!("Few pieces of your product{named} are left, or none."),
        Kind::ReviewPosted => format!("Somebody reviewed your product{named}."),
        Kind::ReviewAnswered => format!("The seller replied to your review{of}."),
        Kind::StoreDeactivated => format!("An admin closed your store{named}. Its page says why."),
        Kind::PasswordChanged => "Your password was changed. If that was not you, reset it at once.".into(),
        Kind::ProfileChanged => {
            "Your name or your email address was changed. If that was not you, change your password.".into()
        }
        Kind::SecondFactorChanged => {
            "Your second factor was turned on or off. If that was not you, change your password.".into()
        }
        Kind::EmailSuppressed => {
            "Our emails to you came back or were marked as spam, so we send none any more. Give us another address, or \
             write to the shop."
                .into()
        }
        Kind::RoleChanged => "An admin changed what your account may do. Sign in again to see it.".into(),
        Kind::TextsStopped => {
            "Your phone takes no texts from us, so we turned them off. To have them again, answer one with START.".into()
        }
    }
}

fn german(kind: Kind, what: Option<&str>) -> String {
    let of = what.map(|what| format!(" mit {what}")).unwrap_or_default();
    let named = what.map(|what| format!(" {what}")).unwrap_or_default();
    match kind {
        Kind::OrderPlaced => format!("Wir haben Ihre Bestellung{of} erhalten."),
        Kind::OrderPaid => format!("Ihre Bestellung{of} ist bezahlt."),
        Kind::OrderShipped => format!("Ihre Bestellung{of} ist unterwegs."),
        Kind::ParcelSent => format!("Ein Teil Ihrer Bestellung ist unterwegs: ein Paket{of}."),
        Kind::ParcelRefused => format!("Ein Teil Ihrer Bestellung kommt nicht: ein Paket{of}."),
        Kind::OrderDelivered => format!("Ihre Bestellung{of} ist angekommen."),
        Kind::OrderCancelled => format!("Ihre Bestellung{of} ist storniert."),
        Kind::OrderRefunded => format!("Das Geld für Ihre Bestellung{of} ist auf dem Weg zu Ihnen."),
        Kind::SaleMade => format!("Bei Ihnen ging eine Bestellung{of} ein."),
        Kind::ProductApproved => format!("Ihr Artikel{named} ist im Verkauf."),
        Kind::ProductRejected => format!("Ihr Artikel{named} wurde abgelehnt. Auf seiner Seite steht, warum."),
        Kind::ProductRanLow => format!("Von Ihrem Artikel{named} sind wenige Stücke übrig oder keines."),
        Kind::ReviewPosted => format!("Jemand hat Ihren Artikel{named} bewertet."),
        Kind::ReviewAnswered => format!("Auf Ihre Bewertung des Artikels{named} gibt es eine Antwort."),
        Kind::StoreDeactivated => {
            format!("Ein Admin hat Ihren Laden{named} geschlossen. Auf seiner Seite steht, warum.")
        }
        Kind::PasswordChanged => {
            "Ihr Passwort wurde geändert. Wenn Sie das nicht waren, setzen Sie es sofort zurück.".into()
        }
        Kind::ProfileChanged => {
            "Ihr Name oder Ihre E-Mail-Adresse wurde geändert. Wenn Sie das nicht waren, ändern Sie Ihr Passwort."
                .into()
        }
        Kind::SecondFactorChanged => {
            "Ihr zweiter Faktor wurde ein- oder ausgeschaltet. Wenn Sie das nicht waren, ändern Sie Ihr Passwort."
                .into()
        }
        Kind::EmailSuppressed => {
            "Unsere E-Mails an Sie kamen zurück oder wurden als Spam gemeldet, darum senden wir keine mehr. Geben Sie uns \
             eine andere Adresse, oder schreiben Sie dem Shop."
                .into()
        }
        Kind::RoleChanged => {
            "Ein Admin hat geändert, was Ihr Konto darf. Melden Sie sich neu an, um es zu sehen.".into()
        }
        Kind::TextsStopped => {
            "Ihr Telefon nimmt keine SMS von uns an, also haben wir sie abgeschaltet. Beantworten Sie eine mit START, \
             um sie wieder zu bekommen."
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_sentence_in_each_language_with_its_name_and_without() {
        let tea = About::of(["Tea"]).unwrap();
        let all: Vec<_> = Language::ALL
            .into_iter()
            .flat_map(|language| Kind::ALL.map(|kind| (language, kind)))
            .flat_map(|(language, kind)| {
                [None, Some(&tea)].map(|about| (kind, about, language.says(kind, about)))
            })
            .collect();
        for (kind, about, text) in &all {
            assert!(text.ends_with('.') && !text.contains("  ") && !text.contains(" ."), "{text}");
            let is_of_the_account = kind.as_str().starts_with("user.");
            assert_eq!(text.contains("Tea"), about.is_some() && !is_of_the_account, "{text}");
        }
        let sentences: std::collections::BTreeSet<_> = all.iter().map(|(_, _, text)| text).collect();
        assert_eq!(sentences.len(), all.len() - 2 * 6, "those about an account say the same twice");
    }

    #[test]
    fn several_products_are_the_first_and_how_many_others() {
        let says =
            |language: Language, names: &[&str]| language.says(Kind::OrderShipped, About::of(names).as_ref());
        assert_eq!(says(Language::English, &["Tea"]), "Your order of “Tea” is on its way.");
        assert_eq!(
            says(Language::English, &["Tea", "Cup"]),
            "Your order of “Tea” and another product is on its way."
        );
        assert_eq!(
            says(Language::German, &["Tee", "Tasse", "Kanne"]),
            "Ihre Bestellung mit „Tee“ und 2 weiteren Artikeln ist unterwegs."
        );
        assert_eq!(says(Language::English, &[]), "Your order is on its way.");
    }

    #[test]
    fn a_name_that_runs_from_right_to_left_turns_nothing_around() {
        let text = Language::English.says(Kind::SaleMade, About::of(["שלום"]).as_ref());
        assert_eq!(text, "You have a new order of “\u{2068}שלום\u{2069}” to send.");
    }
}
