//! The contract's schemas, and the values that should fit them.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use contract::METHODS;
use serde_json::Value;

use crate::template::contract;

/// The contract, and its schemas by where they stand in it.
pub struct Contract {
    /// All of it.
    pub whole: Value,
    compiler: Compiler,
    schemas: Schemas,
}

impl Contract {
    /// Reads it.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn read() -> Self {
        let whole = contract();
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        // No text of Rust's has half a surrogate pair, and no expression of Rust's names them.
        let without_surrogates = whole.to_string().replace(r"\\p{Cs}", "").parse::<Value>();
        let resource = without_surrogates.expect("it is JSON without a part of a pattern");
        compiler.add_resource("contract.json", resource).expect("the contract is a resource");
        Self { whole, compiler, schemas: Schemas::new() }
    }

    /// Where a value of the contract stands once its reference is followed.
    pub fn place(&self, pointer: &str) -> String {
        let value = self.whole.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in the contract"));
        match value["$ref"].as_str() {
            Some(reference) => {
                self.place(reference.strip_prefix('#').expect("a reference within the contract"))
            }
            None => pointer.to_owned(),
        }
    }

    /// What stands there once its reference is followed.
    pub fn at(&self, pointer: &str) -> &Value {
        self.whole.pointer(&self.place(pointer)).expect("just found")
    }

    /// What is wrong with a value by the schema at this place; nothing, if it fits.
    pub fn faults(&mut self, pointer: &str, value: &Value) -> Option<String> {
        let place = format!("contract.json#{}", pointer.replace('{', "%7B").replace('}', "%7D"));
        let schema: SchemaIndex = self
            .compiler
            .compile(&place, &mut self.schemas)
            .unwrap_or_else(|error| panic!("{place}: {error:#}"));
        self.schemas.validate(value, schema).err().map(|error| format!("{error:#}"))
    }
}

/// A member's name in a JSON pointer (RFC 6901).
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Every operation: its method, its path, and where it stands.
pub fn operations(contract: &Value) -> Vec<(String, String, String)> {
    let paths = contract["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = METHODS.into_iter().filter(|method| item.get(method).is_some());
        methods.map(move |method| {
            (method.to_uppercase(), path.clone(), format!("/paths/{}/{method}", escaped(path)))
        })
    });
    all.collect()
}
