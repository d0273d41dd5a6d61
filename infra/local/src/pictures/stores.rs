//! What several things make together: stores' emblems, and tables that are set with what is in a shop.

use super::canvas::{Canvas, Ink, WHITE, block, disc, lathed, steps};
use super::inks::*;
use super::kitchen::flame;
use super::{books, clothes, home, kitchen, toys};

/// One of several things: where its middle is, its size, and what it is.
type Put<Middle> = (Middle, f32, fn(&mut Canvas));

/// Draws several things that fill a picture together.
fn all(c: &mut Canvas, things: &[Put<(f32, f32)>]) {
    c.put((50.0, 50.0), 1.14, |c| {
        for (middle, size, draw) in things {
            c.put(*middle, *size, draw);
        }
    });
}

/// Stands things on a board: how far to the right, how large, and what they are.
fn stand(c: &mut Canvas, things: &[Put<f32>]) {
    for (x, size, draw) in things {
        c.put((*x, 87.5 - 36.0 * size), *size, draw);
    }
}

/// A board on which things stand, at a height of 84.
fn board(c: &mut Canvas, width: f32, wood: Ink) {
    c.fill(block(0.0, 84.0, width, 3.0, 0.0), wood.lit(0.25));
    c.fill(block(0.0, 87.0, width, 13.0, 0.0), wood.down(wood.dim(0.2)));
}

/// A fire in a hearth behind the threads of a loom.
pub(crate) fn hearth(c: &mut Canvas) {
    c.cover("M20 84 L20 46 C20 26 34 16 50 16 C66 16 80 26 80 46 L80 84 Z", CREAM, |c| {
        for x in steps(9, 26.0, 6.0) {
            c.line(block(x, 10.0, 0.1, 80.0, 0.0), 1.2, BRICK.thin(0.45));
        }
        c.fill(block(10.0, 74.0, 80.0, 3.0, 0.0).and(block(10.0, 79.0, 80.0, 5.0, 0.0)), BRICK);
    });
    c.put((50.0, 53.0), 1.05, flame);
    c.line("M20 84 L20 46 C20 26 34 16 50 16 C66 16 80 26 80 46 L80 84", 5.0, BRICK);
    c.line("M14 85 L86 85", 5.0, BRICK);
}

/// A gate before the sun that rises in the east.
pub(crate) fn gate(c: &mut Canvas) {
    c.fill(disc(50.0, 46.0, 30.0), CREAM);
    let red = BRICK.lit(0.05);
    c.fill("M14 22 Q50 30 86 22 L84 31 Q50 38 16 31 Z", red.dim(0.2));
    c.fill("M16 28 Q50 36 84 28 L83 33 Q50 40 17 33 Z", red);
    c.fill(block(22.0, 43.0, 56.0, 6.0, 0.5), red);
    c.fill(block(46.5, 34.0, 7.0, 10.0, 0.0), red);
    c.both(|c| {
        c.fill("M64 34 L70 34 L73 84 L66 84 Z", red);
        c.fill(block(64.5, 80.0, 10.0, 5.0, 0.5), NIGHT);
    });
}

/// A sunflower.
pub(crate) fn sunflower(c: &mut Canvas) {
    c.around(16, |c| c.fill("M50 50 Q40 26 50 10 Q60 26 50 50 Z", GOLD.dim(0.12)));
    c.turn(11.25, (50.0, 50.0), |c| c.around(16, |c| c.fill("M50 50 Q42 28 50 14 Q58 28 50 50 Z", GOLD)));
    c.fill(disc(50.0, 50.0, 19.0), WALNUT.dim(0.3));
    c.around(12, |c| c.fill("M50 40 L47 35 L50 31 L53 35 Z", BRICK));
    c.around(8, |c| c.fill(disc(50.0, 42.5, 1.5), GOLD));
    c.around(4, |c| c.fill("M50 50 L46 45 L50 40 L54 45 Z", CREAM));
}

/// A lantern in an arch.
pub(crate) fn lantern(c: &mut Canvas) {
    let arch = "M22 86 L22 46 C22 34 40 28 50 12 C60 28 78 34 78 46 L78 86 Z";
    c.cover(arch, INDIGO.down(TEAL.dim(0.3)), |c| {
        c.glow(50.0, 58.0, 32.0, GOLD.thin(0.75));
        for (x, y, size) in [(33.0, 48.0, 0.05), (68.0, 50.0, 0.04), (40.0, 38.0, 0.03), (60.0, 36.0, 0.045)]
        {
            c.put((x, y), size, |c| books::rosette(c, (CREAM, CREAM)));
        }
    });
    c.line(arch, 3.0, GOLD);
    c.line("M50 16 L50 40", 1.0, GOLD);
    c.fill(lathed("M50 38 C55 42 61 44 62 48 L50 48 Z"), BRASS.round());
    c.cover(lathed("M50 48 L62 48 L66 62 L59 74 L50 74 Z"), GOLD.lit(0.55), |c| {
        for (x, ink) in [(34.0, CORAL), (42.0, TEAL), (50.0, PLUM), (58.0, BLUE)] {
            c.put((x + 4.0, 61.0), 0.14, |c| c.fill("M50 -30 L90 50 L50 130 L10 50 Z", ink.thin(0.85)));
        }
    });
    c.line(lathed("M50 48 L62 48 L66 62 L59 74 L50 74"), 1.4, BRASS.dim(0.2));
    c.fill(block(40.0, 73.0, 20.0, 4.0, 1.0), BRASS.round());
    c.fill(disc(50.0, 79.5, 2.0), BRASS);
}

/// A table in a warm room.
pub(crate) fn hearth_table(c: &mut Canvas) {
    board(c, 400.0, OAK);
    stand(
        c,
        &[
            (52.0, 0.9, |c| home::throw_folded(c, LINEN)),
            (132.0, 0.84, |c| kitchen::mug(c, BLUE)),
            (200.0, 0.96, kitchen::mill),
            (264.0, 0.8, |c| kitchen::mug(c, MOSS)),
            (342.0, 0.92, home::candles),
        ],
    );
}

/// A shelf of East Asia.
pub(crate) fn eastern_table(c: &mut Canvas) {
    c.fill(disc(200.0, 44.0, 34.0), BRICK.thin(0.85));
    board(c, 400.0, WALNUT);
    stand(
        c,
        &[
            (48.0, 0.8, clothes::leaf_hat),
            (122.0, 0.86, toys::kokeshi),
            (196.0, 0.88, kitchen::teapot),
            (280.0, 0.84, |c| home::fan(c, TEAL)),
            (354.0, 0.78, |c| books::crane(c, WHITE)),
        ],
    );
}

/// A stall of a fair.
pub(crate) fn fair_table(c: &mut Canvas) {
    for (nth, x) in steps(16, 0.0, 25.0).enumerate() {
        let ink = [BRICK, CREAM][nth % 2];
        c.fill(block(x, -4.0, 25.0, 22.0, 8.0), ink.down(ink.dim(0.15)));
    }
    board(c, 400.0, OAK);
    stand(
        c,
        &[
            (52.0, 0.76, toys::balls),
            (132.0, 0.8, toys::dolls),
            (205.0, 0.76, kitchen::horn),
            (276.0, 0.84, toys::doll),
            (348.0, 0.8, home::rug_rolled),
        ],
    );
}

/// A stall of a souk, by lamplight.
pub(crate) fn souk_table(c: &mut Canvas) {
    for x in steps(5, 40.0, 80.0) {
        c.glow(x, 20.0, 46.0, GOLD.thin(0.3));
        c.put((x, 6.0), 0.5, lantern_alone);
    }
    board(c, 400.0, WALNUT);
    stand(
        c,
        &[
            (50.0, 0.76, kitchen::cup),
            (126.0, 0.78, books::notebook),
            (200.0, 0.8, home::lamp),
            (276.0, 0.78, kitchen::tea_glass),
            (348.0, 0.78, toys::dancer),
        ],
    );
}

/// A lantern on its chain, around (50, 50).
fn lantern_alone(c: &mut Canvas) {
    c.line("M50 0 L50 40", 1.4, BRASS);
    c.fill(lathed("M50 36 C56 42 64 44 64 50 L50 50 Z"), BRASS.round());
    c.fill(lathed("M50 50 L64 50 L68 66 L58 80 L50 80 Z"), GOLD.lit(0.5).down(CORAL));
    c.fill(block(42.0, 79.0, 16.0, 4.0, 1.0), BRASS.round());
}

/// Clothes.
pub(crate) fn wardrobe(c: &mut Canvas) {
    all(
        c,
        &[
            ((40.0, 43.0), 0.8, clothes::shirt),
            ((62.0, 68.0), 0.56, |c| clothes::shoe(c, BRICK)),
            ((74.0, 34.0), 0.42, clothes::leaf_hat),
        ],
    );
}

/// What makes a home.
pub(crate) fn hearthside(c: &mut Canvas) {
    all(
        c,
        &[
            ((37.0, 58.0), 0.66, |c| home::throw_folded(c, LINEN)),
            ((72.0, 56.0), 0.5, home::candles),
            ((38.0, 32.0), 0.42, |c| kitchen::mug(c, BLUE)),
        ],
    );
}

/// What is in a kitchen.
pub(crate) fn kitchenware(c: &mut Canvas) {
    all(
        c,
        &[
            ((70.0, 46.0), 0.78, kitchen::oil),
            ((38.0, 54.0), 0.62, kitchen::teapot),
            ((75.0, 69.0), 0.36, kitchen::cup),
        ],
    );
}

/// What is in a nursery.
pub(crate) fn toybox(c: &mut Canvas) {
    all(
        c,
        &[
            ((66.0, 50.0), 0.74, toys::kokeshi),
            ((36.0, 52.0), 0.7, toys::doll),
            ((52.0, 78.0), 0.3, toys::balls),
        ],
    );
}

/// What is at the top of the shop: some of everything on a board, most of it to the right.
pub(crate) fn counter(c: &mut Canvas) {
    c.fill(disc(128.0, 48.0, 36.0), GOLD.thin(0.35));
    board(c, 200.0, OAK);
    stand(
        c,
        &[
            (24.0, 0.62, |c| home::throw_folded(c, LINEN)),
            (62.0, 0.84, toys::doll),
            (102.0, 0.88, kitchen::oil),
            (139.0, 0.78, kitchen::teapot),
            (178.0, 0.8, kitchen::mill),
            (83.0, 0.34, |c| kitchen::mug(c, BLUE)),
        ],
    );
}
