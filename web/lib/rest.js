/* rest.js - a hidden window that has a stream of its own gives it up after a while: a browser has six connections for
 * all of its windows. When it is seen again it is connected again. */

import { areShared } from './stream.js';

/** @typedef {import('./events.js').Follower} Follower */

const REST = 5000; /* ms hidden until the stream rests */
const LOOK = 15000; /* ms between looks while it rests */

/** @param {Follower} follower @param {() => unknown} [look] what is done now and then while it rests; must not throw */
export function restWhileHidden(follower, look) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer = undefined;
    const rest = () => {
        follower.rest();
        if (look) {
            timer = setTimeout(rest, LOOK);
            look();
        }
    };
    document.addEventListener('visibilitychange', () => {
        clearTimeout(timer);
        if (!document.hidden) {
            if (follower.phase === 'resting') follower.connect();
        } else if (!areShared()) {
            timer = setTimeout(rest, REST);
        }
    });
}
