//! Books, and what is on their covers.

use super::canvas::{BLACK, Canvas, Coat, Ink, WHITE, block, disc, oval, steps};
use super::inks::*;
use super::kitchen::flame;

/// A book that stands, its pages to the right and what is on its cover.
fn book(c: &mut Canvas, cover: Ink, art: impl FnOnce(&mut Canvas)) {
    c.shadow(52.0, 87.0, 32.0);
    c.fill(block(24.0, 14.0, 58.0, 73.0, 2.5), cover.dim(0.35));
    c.cover(block(24.0, 16.5, 55.5, 69.0, 1.0), CREAM.dim(0.04), |c| {
        for x in steps(4, 75.8, 1.1) {
            c.fill(block(x, 16.0, 0.4, 70.0, 0.0), OAK.thin(0.55));
        }
    });
    c.cover(block(20.0, 13.0, 55.0, 73.0, 2.5), cover.lit(0.07).down(cover.dim(0.1)), |c| {
        art(c);
        c.fill(block(20.0, 13.0, 6.0, 73.0, 0.0), BLACK.thin(0.16));
        c.fill(block(26.0, 13.0, 1.0, 73.0, 0.0), WHITE.thin(0.16));
    });
}

/// The lines of a title, below what a cover shows.
fn title(c: &mut Canvas, y: f32, ink: Ink) {
    c.fill(block(34.0, y, 33.0, 3.2, 1.6), ink);
    c.fill(block(40.0, y + 6.0, 21.0, 2.0, 1.0), ink.thin(0.7));
}

/// An atlas.
pub(crate) fn atlas(c: &mut Canvas) {
    c.fill("M60 84 L60 95 L62.8 92 L65.6 95 L65.6 84 Z", BRICK);
    book(c, INDIGO, |c| {
        c.line(block(30.5, 17.5, 40.0, 64.0, 1.0), 0.7, GOLD.thin(0.9));
        c.cover(disc(50.5, 42.0, 17.0), SKY.round(), |c| {
            let west = "M38 30 C44 24 52 28 50 33 C48 37 44 36 45 41 C47 44 52 46 51 51 \
                C50 57 46 60 44 56 C43 50 38 48 37 43 C35 38 34 34 38 30 Z";
            c.fill(west, LEAF.lit(0.05));
            c.fill(
                "M55 29 C62 27 68 32 68 38 C66 42 61 40 60 44 C63 47 64 52 60 54 \
                    C56 52 56 46 55 42 C53 37 51 32 55 29 Z",
                LEAF,
            );
            for across in [5.5, 12.0] {
                c.line(oval(50.5, 42.0, across, 17.0), 0.5, WHITE.thin(0.7));
            }
            c.line("M33 42 L68 42 M35 34 L66 34 M35 50 L66 50", 0.5, WHITE.thin(0.7));
        });
        c.line(disc(50.5, 42.0, 17.0), 1.0, GOLD);
        title(c, 67.0, GOLD);
    });
}

/// Essays on a language that is named for rust, by candlelight.
pub(crate) fn candlelight(c: &mut Canvas) {
    book(c, NIGHT.lit(0.06), |c| {
        c.glow(50.5, 38.0, 36.0, CORAL.thin(0.65));
        c.around_at(10, (50.5, 44.0), |c| {
            c.fill("M47.4 44 L48.2 23.5 L52.8 23.5 L53.6 44 Z", CORAL.dim(0.25));
        });
        c.line(disc(50.5, 44.0, 14.5), 5.0, CORAL.dim(0.25));
        c.fill(block(46.0, 42.0, 9.0, 22.0, 1.5), CREAM.round());
        c.fill("M46 44 L55 44 L55 49 Q53.5 52 53 47 Q51 45 49.5 49 Q48 52 46 47 Z", WHITE);
        c.line("M50.5 42.5 L50.5 39", 0.9, NIGHT);
        c.put((50.5, 35.0), 0.46, flame);
        c.fill(oval(50.5, 64.0, 9.0, 2.2), BRASS);
        title(c, 71.0, CREAM);
    });
}

/// A star of eight points and more, around (50, 50).
pub(crate) fn rosette(c: &mut Canvas, (petals, heart): (Ink, Ink)) {
    c.around(8, |c| c.fill("M50 50 L36 24 Q50 14 50 2 Q50 14 64 24 Z", petals));
    c.around(8, |c| c.fill("M50 50 Q42 34 50 22 Q58 34 50 50 Z", heart));
    c.fill(disc(50.0, 50.0, 8.0), petals);
}

/// A notebook for calligraphy, bound on the right, and a pen of reed.
pub(crate) fn notebook(c: &mut Canvas) {
    c.flip(|c| {
        book(c, TEAL, |c| {
            c.line(block(31.0, 18.0, 39.5, 63.0, 1.0), 1.1, GOLD);
            c.line(block(33.0, 20.0, 35.5, 59.0, 1.0), 0.5, GOLD);
            c.put((50.7, 49.5), 0.3, |c| rosette(c, (GOLD, TEAL.dim(0.45))));
            c.fill("M50.7 24 L53.4 30 L50.7 33.5 L48 30 Z M50.7 75 L53.4 69 L50.7 65.5 L48 69 Z", GOLD);
            for (x, y) in [(33.0, 20.0), (68.5, 20.0), (33.0, 79.0), (68.5, 79.0)] {
                c.within(block(33.0, 20.0, 35.5, 59.0, 0.0), |c| {
                    c.put((x, y), 0.2, |c| rosette(c, (GOLD, TEAL.dim(0.45))));
                });
            }
        });
    });
    c.turn(38.0, (70.0, 60.0), |c| {
        c.fill(block(68.5, 26.0, 5.0, 62.0, 1.5), BLACK.thin(0.25));
        c.cover("M67 22 L72.5 22 L72.5 80 L69.5 92 L68.5 92 L67 80 Z", OAK.lit(0.12).round(), |c| {
            c.fill(block(60.0, 40.0, 20.0, 1.0, 0.0).and(block(60.0, 60.0, 20.0, 1.0, 0.0)), WALNUT);
            c.fill("M60 84 L80 84 L80 96 L60 96 Z", NIGHT);
        });
    });
}

/// A crane of folded paper.
pub(crate) fn crane(c: &mut Canvas, paper: Ink) {
    c.fill("M44 62 L12 40 L40 70 Z", paper.dim(0.22));
    c.fill("M56 62 L78 34 L60 70 Z", paper.dim(0.1));
    c.fill("M78 34 L92 43 L74 40 Z", paper.dim(0.26));
    c.fill("M48 60 L26 12 L60 52 Z", paper.dim(0.3));
    c.fill("M40 58 L64 10 L62 60 Z", paper.lit(0.22));
    c.fill("M64 10 L62 60 L53 60 Z", paper.lit(0.05));
    c.fill("M36 62 L50 54 L64 62 L50 80 Z", paper);
    c.fill("M50 54 L64 62 L50 80 Z", paper.dim(0.16));
}

/// A book on folding paper.
pub(crate) fn origami_book(c: &mut Canvas) {
    book(c, CREAM.dim(0.03), |c| {
        c.fill(disc(50.5, 42.0, 19.0), BRICK);
        c.put((51.0, 44.0), 0.5, |c| crane(c, WHITE.dim(0.04)));
        title(c, 69.0, BRICK);
        for (x, ink) in [(42.0, TEAL), (50.5, GOLD), (59.0, INDIGO)] {
            c.put((x, 80.0), 0.05, |c| c.fill("M50 0 L100 100 L0 100 Z", ink));
        }
    });
}

/// What one folds after it: cranes.
pub(crate) fn cranes(c: &mut Canvas) {
    c.fill(oval(50.0, 92.0, 34.0, 6.0), Coat::Glow(BLACK.thin(0.3)));
    c.put((46.0, 53.0), 0.96, |c| crane(c, CORAL));
    c.put((80.0, 24.0), 0.4, |c| crane(c, GOLD));
    c.put((76.0, 80.0), 0.4, |c| crane(c, TEAL));
    c.put((22.0, 22.0), 0.34, |c| crane(c, WHITE));
}

/// Books in a pile.
pub(crate) fn pile(c: &mut Canvas) {
    c.shadow(50.0, 86.0, 38.0);
    let books = [
        (18.0, 70.0, 64.0, INDIGO),
        (23.0, 54.0, 56.0, CORAL),
        (16.0, 38.0, 60.0, TEAL),
        (26.0, 24.0, 48.0, GOLD),
    ];
    for (x, y, width, ink) in books {
        let height = if y < 30.0 { 14.0 } else { 16.0 };
        c.fill(block(x, y, width, height, 2.5), ink.round());
        c.fill(block(x + 9.0, y + 2.6, width - 8.0, height - 5.2, 1.0), CREAM.round());
        for line in steps(3, y + 5.2, 2.6) {
            c.fill(block(x + 10.0, line, width - 10.0, 0.5, 0.0), OAK.thin(0.5));
        }
        c.fill(block(x + 3.0, y, 2.2, height, 0.0), WHITE.thin(0.35));
    }
    c.fill("M62 70 L62 84 L64.5 81 L67 84 L67 70 Z", BRICK);
}
