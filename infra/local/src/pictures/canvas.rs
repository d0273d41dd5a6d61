//! What the pictures are drawn with: inks, outlines, and a canvas that takes them.
//!
//! Everything is measured in hundredths of a picture's height, from its upper left corner. A thing is drawn around
//! (50, 50) and stands at a height of about 84; whoever puts several of them together says where the middle of each is.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Mask, Paint, Path, PathBuilder, Pixmap,
    Point, RadialGradient, Rect, Shader, SpreadMode, Stroke, Transform,
};

/// A colour, and how much of what is under it shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ink {
    red: u8,
    green: u8,
    blue: u8,
    alpha: f32,
}

/// The ink of a number such as `0xff8800`.
pub(crate) const fn ink(rgb: u32) -> Ink {
    let [_, red, green, blue] = rgb.to_be_bytes();
    Ink { red, green, blue, alpha: 1.0 }
}

pub(crate) const BLACK: Ink = ink(0x14_10_18);
pub(crate) const WHITE: Ink = ink(0xff_ff_ff);

impl Ink {
    /// Nearer to white, from 0 to 1.
    pub(crate) fn lit(self, by: f32) -> Self {
        self.mixed(WHITE, by)
    }

    /// Nearer to black, from 0 to 1.
    pub(crate) fn dim(self, by: f32) -> Self {
        self.mixed(BLACK, by)
    }

    /// As a glass of it, from 0 to 1.
    pub(crate) fn thin(self, alpha: f32) -> Self {
        Self { alpha, ..self }
    }

    /// Lit from the left, as a thing that is round.
    pub(crate) fn round(self) -> Coat {
        Coat::Across([self.lit(0.22), self, self.dim(0.22)])
    }

    /// Changing downwards to another.
    pub(crate) fn down(self, other: Self) -> Coat {
        Coat::Down([self, other])
    }

    /// Nearer to another, from 0 to 1.
    pub(crate) fn mixed(self, other: Self, by: f32) -> Self {
        let mix =
            |one: u8, other: u8| (f32::from(one) + (f32::from(other) - f32::from(one)) * by).round() as u8;
        Self {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
            alpha: self.alpha,
        }
    }

    fn color(self) -> Color {
        let mut color = Color::from_rgba8(self.red, self.green, self.blue, 255);
        color.set_alpha(self.alpha);
        color
    }
}

/// Of how many rings a glow is. No eye tells them apart; a file with a smooth one is three times as large.
const RINGS: u8 = 24;

/// How ink lies on a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coat {
    Flat(Ink),
    /// From left to right.
    Across([Ink; 3]),
    /// From top to bottom.
    Down([Ink; 2]),
    /// From the middle, where it is as it says, outwards, where nothing is left.
    Glow(Ink),
}

impl From<Ink> for Coat {
    fn from(ink: Ink) -> Self {
        Self::Flat(ink)
    }
}

impl Coat {
    fn shader(self, over: Rect) -> Option<Shader<'static>> {
        let stops = |inks: &[Ink]| match *inks {
            [one, other] => vec![GradientStop::new(0.0, one.color()), GradientStop::new(1.0, other.color())],
            _ => inks
                .iter()
                .zip([0.0, 0.45, 1.0])
                .map(|(ink, at)| GradientStop::new(at, ink.color()))
                .collect(),
        };
        let (start, plain) = (Point::from_xy(over.x(), over.y()), Transform::identity());
        match self {
            Self::Flat(ink) => Some(Shader::SolidColor(ink.color())),
            Self::Across(inks) => {
                let end = Point::from_xy(over.right(), over.y());
                LinearGradient::new(start, end, stops(&inks), SpreadMode::Pad, plain)
            }
            Self::Down(inks) => {
                let end = Point::from_xy(over.x(), over.bottom());
                LinearGradient::new(start, end, stops(&inks), SpreadMode::Pad, plain)
            }
            // As wide as it is, and as high: a circle that is pressed flat.
            Self::Glow(ink) => {
                let flat =
                    Transform::from_translate(over.x() + over.width() / 2.0, over.y() + over.height() / 2.0)
                        .pre_scale(over.width() / 2.0, over.height() / 2.0);
                let rings = (0..RINGS).flat_map(|ring| {
                    let [inner, outer] = [ring, ring + 1].map(|edge| f32::from(edge) / f32::from(RINGS));
                    let color = ink.thin(ink.alpha * (1.0 - inner)).color();
                    [GradientStop::new(inner, color), GradientStop::new(outer, color)]
                });
                let middle = Point::zero();
                RadialGradient::new(middle, 0.0, middle, 1.0, rings.collect(), SpreadMode::Pad, flat)
            }
        }
    }
}

/// An outline.
#[derive(Clone)]
pub(crate) struct Shape(PathBuilder);

impl Shape {
    fn of(path: Option<Path>) -> Self {
        let mut outline = PathBuilder::new();
        if let Some(path) = path {
            outline.push_path(&path);
        }
        Self(outline)
    }

    fn moved(self, how: Transform) -> Option<Path> {
        self.0.finish()?.transform(how)
    }

    /// With its (50, 50) here.
    pub(crate) fn put(self, x: f32, y: f32) -> Self {
        Self::of(self.moved(Transform::from_translate(x - 50.0, y - 50.0)))
    }

    /// With another, as one.
    pub(crate) fn and(mut self, other: impl Into<Self>) -> Self {
        if let Some(path) = other.into().0.finish() {
            self.0.push_path(&path);
        }
        self
    }
}

/// An outline as SVG writes it, with the letters `M L H V Q C S Z` alone; what they name is where, not how far.
impl From<&str> for Shape {
    fn from(outline: &str) -> Self {
        let mut path = PathBuilder::new();
        // Where `S` begins to bend: as far beyond the last point as the last curve ended before it.
        let mut bend = Point::zero();
        let mut rest = outline;
        while let Some(letter) = rest.chars().next() {
            let end = rest[1..].find(char::is_alphabetic).map_or(rest.len(), |at| at + 1);
            let numbers: Vec<f32> =
                rest[1..end].split_whitespace().filter_map(|one| one.parse().ok()).collect();
            rest = &rest[end..];
            let taken = match letter {
                'Z' => {
                    path.close();
                    continue;
                }
                'H' | 'V' => 1,
                'Q' | 'S' => 4,
                'C' => 6,
                _ => 2,
            };
            debug_assert!(numbers.len().is_multiple_of(taken), "{letter} of {outline}");
            for (nth, to) in numbers.chunks_exact(taken).enumerate() {
                let before = path.last_point().unwrap_or_default();
                let now = match *to {
                    [x] if letter == 'H' => Point::from_xy(x, before.y),
                    [y] => Point::from_xy(before.x, y),
                    [.., x, y] => Point::from_xy(x, y),
                    [] => before,
                };
                let (was, then) = (2.0 * before.x - bend.x, 2.0 * before.y - bend.y);
                bend = now;
                match *to {
                    [x, y] if letter == 'M' && nth == 0 => path.move_to(x, y),
                    [x, y, ..] if letter == 'Q' => path.quad_to(x, y, now.x, now.y),
                    [x, y, _, _] => {
                        path.cubic_to(was, then, x, y, now.x, now.y);
                        bend = Point::from_xy(x, y);
                    }
                    [x, y, to_x, to_y, _, _] => {
                        path.cubic_to(x, y, to_x, to_y, now.x, now.y);
                        bend = Point::from_xy(to_x, to_y);
                    }
                    _ => path.line_to(now.x, now.y),
                }
            }
        }
        Self(path)
    }
}

/// A straight line from a point to another.
pub(crate) fn between((from_x, from_y): (f32, f32), (x, y): (f32, f32)) -> Shape {
    let mut path = PathBuilder::new();
    path.move_to(from_x, from_y);
    path.line_to(x, y);
    Shape(path)
}

/// A circle by its middle and its radius.
pub(crate) fn disc(x: f32, y: f32, radius: f32) -> Shape {
    oval(x, y, radius, radius)
}

/// An ellipse by its middle, half its width and half its height.
pub(crate) fn oval(x: f32, y: f32, across: f32, down: f32) -> Shape {
    Shape::of(
        Rect::from_xywh(x - across, y - down, 2.0 * across, 2.0 * down).and_then(PathBuilder::from_oval),
    )
}

/// A rectangle by its upper left corner, its width, its height, and how round its corners are.
pub(crate) fn block(x: f32, y: f32, width: f32, height: f32, round: f32) -> Shape {
    let (right, bottom) = (x + width, y + height);
    let (inner, outer) = ((x + round, right - round), (y + round, bottom - round));
    let mut path = PathBuilder::new();
    path.move_to(inner.0, y);
    path.line_to(inner.1, y);
    path.quad_to(right, y, right, outer.0);
    path.line_to(right, outer.1);
    path.quad_to(right, bottom, inner.1, bottom);
    path.line_to(inner.0, bottom);
    path.quad_to(x, bottom, x, outer.1);
    path.line_to(x, outer.0);
    path.quad_to(x, y, inner.0, y);
    path.close();
    Shape(path)
}

/// What a lathe makes: the outline of its right half, and the same to the left of 50.
pub(crate) fn lathed(right_half: &str) -> Shape {
    let right = Shape::from(right_half);
    let left = Shape::of(right.clone().moved(Transform::from_row(-1.0, 0.0, 0.0, 1.0, 100.0, 0.0)));
    right.and(left)
}

/// So many numbers, each further by a step.
pub(crate) fn steps(count: u8, first: f32, step: f32) -> impl Iterator<Item = f32> + Clone {
    (0..count).map(move |nth| first + step * f32::from(nth))
}

/// What is drawn on.
pub(crate) struct Canvas {
    pixels: Pixmap,
    at: Transform,
    /// Nothing is drawn outside.
    within: Option<Mask>,
}

impl Canvas {
    /// One of a width and a height in pixels, in one ink that is lighter above; none if it has no pixels.
    pub(super) fn new(width: u32, height: u32, ground: Ink) -> Option<Self> {
        let scale = height as f32 / 100.0;
        let pixels = Pixmap::new(width, height)?;
        let mut canvas = Self { pixels, at: Transform::from_scale(scale, scale), within: None };
        canvas.fill(block(0.0, 0.0, 1_000.0, 100.0, 0.0), ground.lit(0.4).down(ground.dim(0.04)));
        Some(canvas)
    }

    /// Its pixels, three bytes each.
    pub(super) fn into_rgb(self) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(self.pixels.data().len() / 4 * 3);
        for pixel in self.pixels.data().chunks_exact(4) {
            rgb.extend_from_slice(&pixel[..3]);
        }
        rgb
    }

    /// Fills a shape.
    pub(crate) fn fill(&mut self, shape: impl Into<Shape>, coat: impl Into<Coat>) {
        let Some(path) = shape.into().0.finish() else { return };
        let Some(shader) = coat.into().shader(path.bounds()) else { return };
        let paint = Paint { shader, ..Paint::default() };
        self.pixels.fill_path(&path, &paint, FillRule::Winding, self.at, self.within.as_ref());
    }

    /// Draws along a shape with a pen of a width.
    pub(crate) fn line(&mut self, shape: impl Into<Shape>, width: f32, coat: impl Into<Coat>) {
        let Some(path) = shape.into().0.finish() else { return };
        let Some(shader) = coat.into().shader(path.bounds()) else { return };
        let paint = Paint { shader, ..Paint::default() };
        let pen = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint, &pen, self.at, self.within.as_ref());
    }

    /// Draws what is seen inside a shape alone.
    pub(crate) fn within(&mut self, shape: impl Into<Shape>, draw: impl FnOnce(&mut Self)) {
        let Some(path) = shape.into().0.finish() else { return };
        let outside = self.within.clone();
        let inside = match &outside {
            Some(mask) => {
                let mut mask = mask.clone();
                mask.intersect_path(&path, FillRule::Winding, true, self.at);
                Some(mask)
            }
            None => Mask::new(self.pixels.width(), self.pixels.height()).map(|mut mask| {
                mask.fill_path(&path, FillRule::Winding, true, self.at);
                mask
            }),
        };
        self.within = inside;
        draw(self);
        self.within = outside;
    }

    /// Fills a shape, and draws what is seen on it alone.
    pub(crate) fn cover(
        &mut self,
        shape: impl Into<Shape>,
        coat: impl Into<Coat>,
        draw: impl FnOnce(&mut Self),
    ) {
        let shape = shape.into();
        self.fill(shape.clone(), coat);
        self.within(shape, draw);
    }

    /// Draws something so that its middle is here, of another size.
    pub(crate) fn put(&mut self, (x, y): (f32, f32), size: f32, draw: impl FnOnce(&mut Self)) {
        let how = Transform::from_translate(x, y).pre_scale(size, size).pre_translate(-50.0, -50.0);
        self.moved(how, draw);
    }

    /// Draws something turned to the right around a point.
    pub(crate) fn turn(&mut self, degrees: f32, (x, y): (f32, f32), draw: impl FnOnce(&mut Self)) {
        self.moved(Transform::from_rotate_at(degrees, x, y), draw);
    }

    /// Draws something so many times around its middle.
    pub(crate) fn around(&mut self, times: u8, draw: impl FnMut(&mut Self)) {
        self.around_at(times, (50.0, 50.0), draw);
    }

    /// Draws something so many times around a point.
    pub(crate) fn around_at(&mut self, times: u8, middle: (f32, f32), mut draw: impl FnMut(&mut Self)) {
        for degrees in steps(times, 0.0, 360.0 / f32::from(times)) {
            self.turn(degrees, middle, &mut draw);
        }
    }

    /// Draws something as a mirror shows it.
    pub(crate) fn flip(&mut self, draw: impl FnOnce(&mut Self)) {
        self.moved(Transform::from_row(-1.0, 0.0, 0.0, 1.0, 100.0, 0.0), draw);
    }

    /// Draws something, and the same as a mirror shows it.
    pub(crate) fn both(&mut self, draw: impl Fn(&mut Self)) {
        draw(self);
        self.flip(draw);
    }

    fn moved(&mut self, how: Transform, draw: impl FnOnce(&mut Self)) {
        let before = self.at;
        self.at = before.pre_concat(how);
        draw(self);
        self.at = before;
    }

    /// The soft shadow of what stands on the ground.
    pub(crate) fn shadow(&mut self, x: f32, y: f32, across: f32) {
        self.fill(oval(x, y, across * 1.25, across * 0.24), Coat::Glow(BLACK.thin(0.42)));
    }

    /// The soft shadow of what lies on the ground, seen from above, or light that falls on it.
    pub(crate) fn glow(&mut self, x: f32, y: f32, radius: f32, ink: Ink) {
        self.fill(disc(x, y, radius), Coat::Glow(ink));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(draw: impl FnOnce(&mut Canvas)) -> impl Fn(usize, usize) -> [u8; 3] {
        let mut canvas = Canvas::new(100, 100, WHITE).unwrap();
        draw(&mut canvas);
        let pixels = canvas.into_rgb();
        move |x, y| pixels[(y * 100 + x) * 3..][..3].try_into().unwrap()
    }

    const RED: [u8; 3] = [255, 0, 0];

    #[test]
    fn an_outline_is_read_as_svg_has_it() {
        let dot = |outline: &str| Shape::from(outline).0.finish().unwrap();
        assert_eq!(dot("M1 2 L3 4 H5 V6 Z"), dot("M 1 2 3 4 L5 4 5 6 Z"));
        assert_eq!(dot("M0 0 C1 1 2 3 4 4 S7 7 8 8"), dot("M0 0 C1 1 2 3 4 4 C6 5 7 7 8 8"));
        assert_eq!(dot("M0 0 Q1 1 4 4 S7 7 8 8"), dot("M0 0 Q1 1 4 4 C4 4 7 7 8 8"));
    }

    #[test]
    fn what_a_lathe_makes_is_as_wide_to_the_left() {
        let at = drawn(|c| c.fill(lathed("M50 20 L80 20 L80 60 L50 60 Z"), ink(0xff_00_00)));
        assert_eq!([at(21, 40), at(50, 40), at(78, 40)], [RED; 3]);
        assert!(at(19, 40) != RED && at(81, 40) != RED);
    }

    #[test]
    fn what_is_drawn_within_a_shape_ends_with_it_also_within_another_and_elsewhere() {
        let at = drawn(|c| {
            c.put((50.0, 50.0), 0.5, |c| {
                c.within(block(0.0, 0.0, 80.0, 100.0, 0.0), |c| {
                    c.within(block(40.0, 0.0, 60.0, 100.0, 0.0), |c| {
                        c.fill(disc(50.0, 50.0, 50.0), ink(0xff_00_00));
                    });
                });
            });
        });
        assert_eq!([at(46, 50), at(63, 50)], [RED; 2]);
        assert!(at(44, 50) != RED && at(66, 50) != RED);
    }
}
