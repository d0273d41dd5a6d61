//! How people are told what the services have to say. What a letter says is its service's; what an email looks like is
//! decided here and in `templates/`, and calls nothing. [`Sending`] sends each letter once, [`mailer`] hands it to SES;
//! those with a code go out by Cognito, to which [`AccountEmails`] gives them. What events give rise to, [`messages`]
//! queues; what comes back, [`feedback`] notes. By text [`texting`] tells what people want to be told so, and what an
//! admin wrote ([`admin_texts`]); [`texter`] hands it to SNS.

pub mod account;
pub mod admin_texts;
pub mod feedback;
pub mod mailer;
pub mod messages;
pub mod sending;
pub mod texter;
pub mod texting;

use std::str::FromStr;

use askama::Template;
use shared::letters::{Language, Letter, Link};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

pub use account::AccountEmails;
pub use feedback::Recording;
pub use mailer::{Mailer, NotSent};
pub use sending::Sending;

/// An email, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// One line, without control characters.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same as a page of HTML, which loads nothing and runs nothing.
    pub html: String,
    /// Where no more of the kind can be asked for, without signing in; `None` for what always comes.
    pub stop: Option<String>,
}

impl Email {
    /// `letter` as an email, whose own words are in the letter's language, with links into the web shop.
    ///
    /// # Errors
    /// When a template cannot be filled in.
    pub fn of(letter: &Letter, shop: &WebShop) -> Result<Self, askama::Error> {
        Self::stopped_at(letter, None, shop)
    }

    /// The same, with where to `stop` more of the kind.
    ///
    /// # Errors
    /// When a template cannot be filled in.
    pub fn stopped_at(letter: &Letter, stop: Option<String>, shop: &WebShop) -> Result<Self, askama::Error> {
        let words = Words::of(letter.to.language);
        let subject = letter.subject.replace(parts_lines, " ");
        let link = letter.link.as_ref().and_then(|link| shop.link(link));
        let links: Vec<_> = letter.links.iter().filter_map(|link| shop.link(link)).collect();
        let shop = shop.0.as_deref();
        let text =
            TextPart { words, stop: stop.as_deref(), letter, link: link.as_ref(), links: &links, shop }
                .render()?;
        let html = HtmlPart {
            words,
            stop: stop.as_deref(),
            subject: &subject,
            letter,
            link: link.as_ref(),
            links: &links,
            shop,
        }
        .render()?;
        Ok(Self { subject, text, html, stop })
    }
}

/// A subject is one line to every mail program, also to one that breaks lines at Unicode's separators.
fn parts_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What an email says by itself.
#[derive(Debug, Clone, Copy)]
struct Words {
    tag: &'static str,
    hello: &'static str,
    to_the_shop: &'static str,
    no_more: &'static str,
}

impl Words {
    const fn of(language: Language) -> Self {
        let tag = language.tag();
        match language {
            Language::English => Self {
                tag,
                hello: "Hello",
                to_the_shop: "Go to the shop",
                no_more: "No more of these emails",
            },
            Language::German => Self {
                tag,
                hello: "Guten Tag",
                to_the_shop: "Zum Shop",
                no_more: "Keine solchen E-Mails mehr",
            },
        }
    }
}

#[derive(Template)]
#[template(path = "email.txt")]
struct TextPart<'a> {
    words: Words,
    stop: Option<&'a str>,
    letter: &'a Letter,
    link: Option<&'a Href<'a>>,
    links: &'a [Href<'a>],
    shop: Option<&'a str>,
}

/// Askama escapes what it fills into a template of this ending.
#[derive(Template)]
#[template(path = "email.html")]
struct HtmlPart<'a> {
    words: Words,
    stop: Option<&'a str>,
    subject: &'a str,
    letter: &'a Letter,
    link: Option<&'a Href<'a>>,
    links: &'a [Href<'a>],
    shop: Option<&'a str>,
}

/// A link with its whole URL.
struct Href<'a> {
    text: &'a str,
    url: String,
}

/// The web shop that emails link to, at `SHOP_URL`; without one they have no links. It is that of the service pages, or
/// one of the shop's own: it shows an order to its buyer at `/orders/{id}`, to a guest at `/guest-orders/{id}#{token}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebShop(Option<String>);

impl WebShop {
    fn link<'a>(&self, link: &'a Link) -> Option<Href<'a>> {
        let shop = self.0.as_ref()?;
        Some(Href { text: &link.text, url: format!("{shop}{}", link.path) })
    }
}

impl FromStr for WebShop {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_plain = |rest: &str| {
            !rest.is_empty()
                && !rest.ends_with('/')
                && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#'))
        };
        if !rest.is_some_and(is_plain) {
            return Err("it must be a URL without query, fragment or a slash at its end");
        }
        Ok(Self(Some(url.to_owned())))
    }
}

impl FromEnv for WebShop {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(config::optional("SHOP_URL")?.unwrap_or_default())
    }
}

/// Where the API answers, as `API_URL` has it: for links that no page of the shop needs to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api(String);

impl Api {
    /// Where somebody who has this token asks for no more emails of a kind.
    fn unsubscribe(&self, token: &str) -> String {
        format!("{}/unsubscribe?token={token}", self.0)
    }
}

impl FromEnv for Api {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(config::required("API_URL")?))
    }
}

#[cfg(test)]
mod tests;
