//! The environment that the template gives a function, read once when it starts.

use std::env;
use std::str::FromStr;

/// A variable that the template should have set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} {fault}; template.yaml sets it")]
pub struct ConfigError {
    name: &'static str,
    fault: String,
}

/// The variable `name`.
///
/// # Errors
/// Names the variable that is missing, empty or not what it should be.
pub fn required<T: FromStr>(name: &'static str) -> Result<T, ConfigError>
where
    T::Err: std::fmt::Display,
{
    optional(name)?.ok_or_else(|| ConfigError { name, fault: "is not set".into() })
}

/// The variable `name`, which the template may leave empty.
///
/// # Errors
/// Names the variable that is not what it should be.
pub fn optional<T: FromStr>(name: &'static str) -> Result<Option<T>, ConfigError>
where
    T::Err: std::fmt::Display,
{
    let text = env::var(name).ok().filter(|text| !text.is_empty());
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error| ConfigError { name, fault: format!("is not valid: {error}") })
}

/// The table that the variable `name` names. A function is given the tables that its policy names, and a store may know
/// more of them: the name of one that was not given is empty, which DynamoDB refuses.
pub fn table(name: &'static str) -> String {
    env::var(name).unwrap_or_default()
}

crate::names!(
    /// Where this function runs, named as the template's parameter has it.
    pub enum Stage {
        /// A laptop.
        Local = "local",
        /// An AWS account for trying things.
        Staging = "staging",
        /// The shop.
        Production = "production",
    }
);

impl Stage {
    /// Whether answers carry `Server-Timing`, which tells outsiders how the inside works, and by its times and counts
    /// who has an account.
    pub fn shows_timing(self) -> bool {
        self == Self::Local
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let error = required::<String>("CARTWRIGHT_NOT_SET").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable CARTWRIGHT_NOT_SET is not set; template.yaml sets it"
        );
    }

    #[test]
    fn only_a_laptop_tells_what_an_answer_took() {
        let stages = [Stage::Local, Stage::Staging, Stage::Production];
        assert_eq!(stages.map(Stage::shows_timing), [true, false, false]);
    }

    #[test]
    fn a_stage_of_another_name_is_refused() {
        assert_eq!("production".parse(), Ok(Stage::Production));
        let refused = "prod".parse::<Stage>().unwrap_err();
        assert_eq!(refused.to_string(), "must be one of local, staging, production");
    }
}
