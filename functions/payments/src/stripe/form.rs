//! The body of a request, as Stripe takes it: a form whose names have brackets, `metadata[order_id]`. It keeps the
//! order in which it was filled, so that equal requests are equal to the byte: Stripe refuses a key that comes again
//! with other parameters.

use std::fmt::{self, Display, Write};

use form_urlencoded::byte_serialize;

/// A form that is being filled.
pub(crate) struct Form(String);

impl Form {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// Adds the value of `name`.
    pub(crate) fn with(self, name: &str, value: impl Display) -> Self {
        self.within(&[name], value)
    }

    /// Adds the value of a name within others: `["metadata", "shop"]` is `metadata[shop]`.
    pub(crate) fn within(mut self, path: &[&str], value: impl Display) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        for (depth, part) in path.iter().enumerate() {
            let (open, close) = if depth == 0 { ("", "") } else { ("%5B", "%5D") };
            self.0.push_str(open);
            self.0.extend(byte_serialize(part.as_bytes()));
            self.0.push_str(close);
        }
        self.0.push('=');
        // Writing to a text does not fail.
        let _ = write!(Encoded(&mut self.0), "{value}");
        self
    }

    /// What is sent.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Encodes what is written into a form, bytes by bytes, so that no value needs a text of its own first.
struct Encoded<'a>(&'a mut String);

impl Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(byte_serialize(text.as_bytes()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_brackets_and_what_means_something_in_a_form_is_encoded() {
        let form = Form::new().with("mode", "payment").within(&["line_items", "0", "quantity"], 1);
        let form = form.within(&["metadata", "name"], "Müller & Söhne = 1+1%\n");
        assert_eq!(
            form.finish(),
            "mode=payment&line_items%5B0%5D%5Bquantity%5D=1\
             &metadata%5Bname%5D=M%C3%BCller+%26+S%C3%B6hne+%3D+1%2B1%25%0A"
        );
    }
}
