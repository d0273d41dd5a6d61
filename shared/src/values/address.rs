//! Where things are sent: the one form of an address that all who keep one share.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::country::Country;

crate::text!(
    /// A line of an address, and who is to get it.
    AddressLine, 1..=120
);

crate::text!(
    /// A postal code, and a telephone number: what people write in many ways.
    AddressCode, 1..=40
);

crate::text!(
    /// A part of a country, as addresses name it.
    Region, 1..=60
);

crate::body!(
    /// Where things are sent.
    #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Address {
        name: AddressLine,
        line1: AddressLine,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line2: Option<AddressLine>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        postal_code: Option<AddressCode>,
        city: AddressLine,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
        country: Country,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<AddressCode>,
    }
);

impl Address {
    /// Where it is, as far as that decides what sending costs and how it is taxed.
    pub fn place(&self) -> (Country, Option<&Region>) {
        (self.country, self.region.as_ref())
    }
}

/// Where somebody lives is for no log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}
