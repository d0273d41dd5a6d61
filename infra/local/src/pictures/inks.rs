//! The inks that things of all kinds have in common.

use super::canvas::{Ink, ink};

pub(crate) const BLUE: Ink = ink(0x2f6690);
pub(crate) const BRASS: Ink = ink(0xd9a13b);
pub(crate) const BRICK: Ink = ink(0xb23a2e);
pub(crate) const CLAY: Ink = ink(0x7a4334);
pub(crate) const CORAL: Ink = ink(0xe8785c);
pub(crate) const CREAM: Ink = ink(0xf8edd8);
pub(crate) const DUSK: Ink = ink(0x39304f);
pub(crate) const GOLD: Ink = ink(0xe9b949);
pub(crate) const HONEY: Ink = ink(0xf2cf8a);
pub(crate) const INDIGO: Ink = ink(0x33356b);
pub(crate) const LEAF: Ink = ink(0x6b8f4e);
pub(crate) const LILAC: Ink = ink(0xd9cdea);
pub(crate) const LINEN: Ink = ink(0xd9b98a);
pub(crate) const MINT: Ink = ink(0xc9e3d3);
pub(crate) const MIST: Ink = ink(0xcfdde8);
pub(crate) const MOSS: Ink = ink(0x52703f);
pub(crate) const NIGHT: Ink = ink(0x2b2430);
pub(crate) const OAK: Ink = ink(0xb9804a);
pub(crate) const PEACH: Ink = ink(0xf7d3bd);
pub(crate) const PLUM: Ink = ink(0x86306f);
pub(crate) const ROSE: Ink = ink(0xf4cfcb);
pub(crate) const SAND: Ink = ink(0xe6cfa3);
pub(crate) const SKIN: Ink = ink(0xf3cfae);
pub(crate) const SKY: Ink = ink(0xbcdcec);
pub(crate) const STEEL: Ink = ink(0xb4bcc6);
pub(crate) const TEAL: Ink = ink(0x1f8a86);
pub(crate) const WALNUT: Ink = ink(0x74492c);
