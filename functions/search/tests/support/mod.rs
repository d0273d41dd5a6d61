//! Small indexes.

use search::engine::{Bytes, Document, Index, ProductId};

/// A product that nobody looks for.
pub fn product(id: u128) -> Document {
    Document {
        product_id: ProductId::from_u128(id),
        name: String::new(),
        description: String::new(),
        category: "Other".into(),
        store: None,
        sku: None,
        price: 1000,
        in_stock: true,
        rating: None,
        created_at: 1_700_000_000_000,
        version: 1,
    }
}

/// An index of them.
pub fn open(documents: impl Iterator<Item = Document>) -> Index {
    Index::open(Bytes::new(Index::build(documents).expect("an index")), &[]).expect("it is one")
}
