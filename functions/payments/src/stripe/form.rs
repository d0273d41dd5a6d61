//! The body of a request, as Stripe takes it: a form whose names have brackets, `metadata[order_id]`. It keeps the
//! order in which it was filled, so that equal requests are equal to the byte: Stripe refuses a key that comes again
//! with other parameters.

use std::fmt::Display;

use form_urlencoded::Serializer;

/// A form that is being filled.
pub(crate) struct Form(Serializer<'static, String>);

impl Form {
    pub(crate) fn new() -> Self {
        Self(Serializer::new(String::new()))
    }

    /// Adds the value of `name`.
    pub(crate) fn with(self, name: &str, value: impl Display) -> Self {
        self.within(&[name], value)
    }

    /// Adds the value of a name within others: `["metadata", "shop"]` is `metadata[shop]`.
    pub(crate) fn within(mut self, path: &[&str], value: impl Display) -> Self {
        let mut name = String::new();
        for (depth, part) in path.iter().enumerate() {
            let bracketed = if depth == 0 { (*part).to_owned() } else { format!("[{part}]") };
            name.push_str(&bracketed);
        }
        self.0.append_pair(&name, &value.to_string());
        self
    }

    /// What is sent.
    pub(crate) fn finish(mut self) -> String {
        self.0.finish()
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
