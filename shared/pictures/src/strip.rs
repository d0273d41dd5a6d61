//! Takes out of a file what is not its picture: where and when it was taken and by what, names, comments, previews, and
//! whatever stands behind its end. The colour profile and all that an animation needs stay; nothing is encoded anew.

mod gif;
mod jpeg;
mod png;
mod webp;

use shared::media::ImageType;

use crate::avif;

/// A picture without what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stripped {
    /// Its file.
    pub bytes: Vec<u8>,
    /// Whether it moves.
    pub is_animated: bool,
}

/// The picture in a file of this format; `None` where the file is damaged.
pub(crate) fn strip(file: &[u8], image_type: ImageType) -> Option<Stripped> {
    match image_type {
        ImageType::Avif => Some(Stripped { bytes: avif::strip(file)?, is_animated: false }),
        ImageType::Gif => gif::strip(file),
        ImageType::Jpeg => Some(Stripped { bytes: jpeg::strip(file)?, is_animated: false }),
        ImageType::Png => png::strip(file),
        ImageType::Webp => webp::strip(file),
    }
}
