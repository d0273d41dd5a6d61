//! What a home is made warm with: blankets, rugs, candles, lamps and fans.

use super::canvas::{BLACK, Canvas, Coat, Ink, WHITE, between, block, disc, lathed, oval, steps};
use super::inks::*;
use super::kitchen::flame;

/// Stripes of a weave, downwards and across.
pub(crate) fn checks(c: &mut Canvas, step: f32, ink: Ink) {
    for at in steps(24, 2.0, step) {
        c.fill(block(at, 0.0, step * 0.42, 100.0, 0.0), ink.thin(0.42));
        c.fill(block(0.0, at, 100.0, step * 0.42, 0.0), ink.thin(0.42));
    }
}

/// A fringe that hangs from a height, between two points.
pub(crate) fn fringe(c: &mut Canvas, (from, to): (f32, f32), y: f32, ink: Ink) {
    let mut x = from;
    while x <= to {
        c.put((x, y), 1.0, |c| c.line("M50 50 L49.4 56", 1.1, ink));
        x += 2.4;
    }
}

/// A blanket, folded, with another below it.
pub(crate) fn throw_folded(c: &mut Canvas, wool: Ink) {
    c.shadow(50.0, 84.0, 38.0);
    for (y, ink) in [(71.0, wool.dim(0.16)), (58.5, CREAM), (46.0, wool.dim(0.08)), (33.5, wool)] {
        c.fill(block(15.0, y, 70.0, 13.0, 5.5), ink.lit(0.12).down(ink.dim(0.2)));
        c.line(between((22.0, y + 6.8), (85.0, y + 6.8)), 0.8, BLACK.thin(0.2));
    }
    fringe(c, (32.0, 69.0), 66.5, wool.dim(0.08));
    c.cover(
        "M15 39 Q15 31 22 31 L78 31 Q85 31 85 39 L70 41 L70 67 L31 67 L31 41 Z",
        wool.lit(0.22).down(wool),
        |c| {
            for (y, height) in [(47.0, 1.2), (49.6, 4.6), (55.6, 1.2), (60.0, 1.2)] {
                c.fill(block(0.0, y, 100.0, height, 0.0), CORAL.dim(0.1));
            }
            for x in steps(16, 33.0, 2.4) {
                c.fill(block(x, 41.0, 0.35, 30.0, 0.0), WHITE.thin(0.35));
            }
            c.fill("M31 41 L70 41 L70 45 L31 45 Z", BLACK.thin(0.06));
        },
    );
}

/// A blanket that hangs over a rail.
pub(crate) fn throw_hung(c: &mut Canvas, wool: Ink) {
    c.glow(52.0, 54.0, 46.0, BLACK.thin(0.24));
    fringe(c, (29.0, 79.0), 76.0, wool.dim(0.25));
    c.fill("M27 20 L80 20 L80 77 L27 77 Z", wool.dim(0.22));
    fringe(c, (22.0, 73.0), 83.0, wool.dim(0.06));
    c.cover("M21 20 Q21 15 26 15 L74 15 L74 84 L21 84 Z", wool.lit(0.08).down(wool.dim(0.04)), |c| {
        checks(c, 9.0, OAK);
        checks(c, 18.0, WHITE);
        c.fill(block(0.0, 15.0, 100.0, 5.0, 0.0), BLACK.thin(0.1));
        c.fill("M44 20 Q40 50 45 84 L50 84 Q45 50 47 20 Z", BLACK.thin(0.08));
    });
    c.fill(block(11.0, 12.5, 15.0, 5.0, 2.5).and(block(72.0, 12.5, 17.0, 5.0, 2.5)), OAK.down(WALNUT));
}

/// An axe of the Carpathians to walk with, carved.
pub(crate) fn axe(c: &mut Canvas) {
    c.turn(32.0, (52.0, 54.0), |c| c.fill(oval(54.0, 54.0, 14.0, 50.0), Coat::Glow(BLACK.thin(0.4))));
    c.turn(32.0, (50.0, 50.0), |c| {
        c.cover(block(46.5, 6.0, 7.0, 90.0, 2.5), WALNUT.round(), |c| {
            for y in steps(9, 36.0, 6.0) {
                c.fill(block(40.0, y, 20.0, 1.0, 0.0), SAND);
                c.put((50.0, y + 3.4), 1.0, |c| c.fill("M47.4 50 L50 48.2 L52.6 50 L50 51.8 Z", BRASS));
            }
        });
        c.fill(block(46.8, 90.0, 6.4, 7.0, 2.0), BRASS.round());
        let head = "M38 14 L54 13 C62 13 68 10 74 4 C80 14 80 30 74 40 C68 31 62 27 54 26 L38 25 Z";
        c.cover(head, STEEL.lit(0.25).down(STEEL.dim(0.15)), |c| {
            c.fill("M70 0 C77 14 77 32 70 44 L90 44 L90 0 Z", WHITE.thin(0.65));
            c.line("M42 16.5 L58 16 M42 22.5 L58 23", 0.9, BRASS);
            for (x, y, r) in [(64.0, 21.0, 2.2), (58.5, 19.5, 1.1), (68.0, 15.5, 1.0), (68.0, 26.5, 1.0)] {
                c.fill(disc(x, y, r), BRASS);
            }
        });
        c.fill(block(33.0, 13.0, 6.0, 13.0, 1.5), STEEL.dim(0.2).round());
        c.fill(block(46.0, 10.0, 8.0, 4.0, 1.5).and(block(46.0, 25.0, 8.0, 4.0, 1.5)), BRASS.round());
    });
}

/// The weave of a rug: a border, and stars in its middle.
fn weave(c: &mut Canvas) {
    for (inset, ink) in
        [(0.0, BRICK.dim(0.1)), (3.0, INDIGO), (4.5, CREAM), (5.7, INDIGO), (10.5, CREAM), (11.5, BRICK)]
    {
        c.fill(block(20.0 + inset, 12.0 + inset, 60.0 - 2.0 * inset, 76.0 - 2.0 * inset, 0.0), ink);
    }
    for x in steps(9, 28.1, 5.5) {
        c.fill(disc(x, 20.2, 1.5).and(disc(x, 79.8, 1.5)), GOLD);
    }
    for y in steps(10, 25.8, 5.4) {
        c.fill(disc(28.1, y, 1.5).and(disc(71.9, y, 1.5)), GOLD);
    }
    for y in [34.0, 50.0, 66.0] {
        c.put((50.0, y), 0.44, |c| {
            c.around(4, |c| c.fill("M50 50 L36 28 L50 14 L64 28 Z", INDIGO));
            c.around(4, |c| c.fill("M50 50 L41 31 L50 21 L59 31 Z", CREAM));
            c.around(4, |c| c.fill("M50 50 L46 36 L50 31 L54 36 Z", BRICK));
            c.fill("M50 38 L62 50 L50 62 L38 50 Z", GOLD);
            c.fill("M50 43 L57 50 L50 57 L43 50 Z", TEAL);
        });
    }
    for (x, y) in [
        (37.0, 42.0),
        (63.0, 42.0),
        (37.0, 58.0),
        (63.0, 58.0),
        (37.0, 28.0),
        (63.0, 28.0),
        (37.0, 72.0),
        (63.0, 72.0),
    ] {
        c.put((x, y), 0.2, |c| c.around(4, |c| c.fill("M50 48 L40 32 L60 32 Z", GOLD)));
    }
}

/// A knotted rug from above.
pub(crate) fn rug(c: &mut Canvas) {
    c.fill(block(21.0, 13.5, 62.0, 78.0, 3.0), BLACK.thin(0.14));
    fringe(c, (21.0, 80.0), 87.5, CREAM.dim(0.1));
    c.turn(180.0, (50.0, 50.0), |c| fringe(c, (21.0, 80.0), 87.5, CREAM.dim(0.1)));
    weave(c);
}

/// The rug, rolled up but for its end.
pub(crate) fn rug_rolled(c: &mut Canvas) {
    c.shadow(50.0, 86.0, 42.0);
    fringe(c, (13.0, 78.0), 82.0, CREAM.dim(0.1));
    c.cover("M12 60 L78 60 L78 83 L12 83 Z", BRICK, |c| {
        c.turn(90.0, (45.0, 50.0), |c| c.put((56.0, 50.0), 1.25, weave));
    });
    c.cover(block(12.0, 34.0, 68.0, 36.0, 10.0), INDIGO, |c| {
        c.turn(90.0, (46.0, 50.0), |c| c.put((47.0, 49.0), 1.05, weave));
        c.fill(block(0.0, 34.0, 100.0, 36.0, 0.0), WHITE.thin(0.18).down(BLACK.thin(0.45)));
    });
    c.fill(oval(78.0, 52.0, 10.0, 18.0), BRICK.dim(0.2));
    for (across, ink) in [(8.6, CREAM), (6.4, BRICK), (4.2, CREAM), (2.0, INDIGO)] {
        c.line(oval(78.0, 52.0, across, across * 1.82), 1.4, ink);
    }
    c.fill(
        block(28.0, 33.0, 4.0, 38.0, 1.5).and(block(56.0, 33.0, 4.0, 38.0, 1.5)),
        OAK.lit(0.2).down(WALNUT),
    );
}

/// Eight candles of wax, lit.
pub(crate) fn candles(c: &mut Canvas) {
    c.glow(50.0, 40.0, 56.0, GOLD.thin(0.35));
    c.shadow(50.0, 85.0, 38.0);
    c.fill(oval(50.0, 83.0, 40.0, 6.5), OAK.down(WALNUT));
    c.fill(oval(50.0, 81.6, 39.0, 5.6), OAK.lit(0.15));
    let back = [(26.0, 44.0, 78.0), (42.0, 34.0, 77.5), (58.0, 38.0, 77.5), (74.0, 46.0, 78.0)];
    let front = [(18.5, 56.0, 82.0), (34.0, 52.0, 84.0), (50.0, 50.0, 84.5), (66.0, 55.0, 84.0)];
    for (x, top, foot) in back.into_iter().chain(front) {
        c.fill(block(x - 4.5, top, 9.0, foot - top, 2.0), CREAM.lit(0.35).round());
        c.fill(oval(x, top + 1.0, 4.5, 1.5), WHITE);
        c.line(block(x + 2.6, top + 3.0, 0.1, 7.0, 0.0), 1.8, WHITE.thin(0.9));
        c.line(block(x, top - 2.5, 0.1, 3.0, 0.0), 0.8, NIGHT);
        c.put((x, top - 5.5), 0.34, flame);
    }
}

/// An oil lamp of brass, burning.
pub(crate) fn lamp(c: &mut Canvas) {
    c.glow(80.0, 38.0, 44.0, GOLD.thin(0.35));
    c.fill(oval(48.0, 87.0, 34.0, 5.0), Coat::Glow(BLACK.thin(0.8)));
    c.fill(
        lathed("M50 72 L56 74 C56 79 60 81 66 83 L66 87 L50 87 Z").put(48.0, 50.0),
        BRASS.dim(0.15).round(),
    );
    let bowl = "M12 52 Q48 62 88 46 C86 62 70 77 48 77 C28 77 14 66 12 52 Z";
    c.fill(
        "M12 52 C20 44 40 42 58 44 C70 45 80 46 88 46 C80 56 62 60 46 60 C30 60 16 58 12 52 Z",
        BRASS.lit(0.4),
    );
    c.fill(
        "M18 52 C26 47 42 46 58 47 C68 48 76 48 82 48 C74 54 60 57 46 57 C32 57 22 56 18 52 Z",
        OAK.dim(0.45),
    );
    c.cover(bowl, BRASS.round(), |c| {
        c.fill("M12 52 Q48 62 88 46 C84 54 66 61 46 60.5 C30 60 16 58 12 52 Z", BRASS.lit(0.35));
        for x in steps(9, 20.0, 7.0) {
            c.fill(disc(x, 65.5 - (x - 46.0).abs() * 0.06, 1.5), BRICK);
            c.line(oval(x, 73.0, 4.0, 4.0), 0.7, BRASS.dim(0.4));
        }
    });
    c.line("M60 51 Q72 52 80 45", 2.2, CREAM);
    c.put((81.5, 34.0), 0.95, flame);
}

/// The same lamp from above, within a pattern of coloured powder.
pub(crate) fn lamp_above(c: &mut Canvas) {
    c.glow(50.0, 50.0, 52.0, GOLD.thin(0.28));
    c.around(12, |c| c.fill("M50 50 Q40 22 50 10 Q60 22 50 50 Z", PLUM));
    c.around(12, |c| c.fill("M50 50 Q44 26 50 17 Q56 26 50 50 Z", CORAL));
    c.around(12, |c| c.fill(disc(50.0, 12.0, 1.7), WHITE));
    c.turn(15.0, (50.0, 50.0), |c| c.around(12, |c| c.fill(disc(50.0, 17.0, 2.2), TEAL.lit(0.2))));
    c.around(8, |c| c.fill("M50 50 Q36 36 50 24 Q64 36 50 50 Z", GOLD));
    c.glow(52.0, 54.0, 24.0, BLACK.thin(0.6));
    let bowl = "M50 24 C56 32 66 40 66 53 C66 63 59 69 50 69 C41 69 34 63 34 53 C34 40 44 32 50 24 Z";
    c.fill(bowl, BRASS.round());
    c.fill(disc(50.0, 54.0, 11.5), OAK.dim(0.4).down(OAK));
    c.line("M50 56 L50 33", 2.4, CREAM);
    c.put((50.0, 24.0), 0.5, flame);
}

/// A folding fan of paper, open.
pub(crate) fn fan(c: &mut Canvas, paper: Ink) {
    c.glow(51.0, 58.0, 46.0, BLACK.thin(0.26));
    let hub = (50.0, 80.0);
    for (nth, degrees) in steps(15, -66.5, 9.5).enumerate() {
        let shade = if nth.is_multiple_of(2) { paper } else { paper.dim(0.14) };
        c.turn(degrees, hub, |c| {
            c.fill("M48.8 81 L48.2 50 L51.8 50 L51.2 81 Z", OAK.round());
            c.fill("M47.8 57 L45.8 28.5 Q50 28 54.2 28.5 L52.2 57 Q50 56.6 47.8 57 Z", shade);
            c.fill("M45.8 28.5 Q50 28 54.2 28.5 L54 31 Q50 30.4 46 31 Z", GOLD);
        });
    }
    c.line("M20 62 C32 58 38 50 52 46 C62 43 70 46 80 52", 1.3, WALNUT.dim(0.3));
    for (x, y, size) in
        [(33.0, 53.0, 0.22), (52.0, 43.0, 0.28), (69.0, 47.0, 0.2), (43.0, 41.0, 0.13), (77.0, 57.0, 0.14)]
    {
        c.put((x, y), size, |c| {
            c.around(5, |c| c.fill(oval(50.0, 34.0, 13.0, 16.0), WHITE.mixed(CORAL, 0.22)));
            c.fill(disc(50.0, 50.0, 8.0), GOLD);
        });
    }
    for degrees in [-71.0, 71.0] {
        c.turn(degrees, hub, |c| c.fill(block(48.2, 28.0, 3.6, 54.0, 1.5), WALNUT.round()));
    }
    c.fill(disc(50.0, 80.0, 3.2), BRASS.round());
    c.line("M50 83 Q47 88 50 91", 1.0, BRICK);
    c.fill("M48 90 L52 90 L53 97 L47 97 Z", BRICK);
}
