/* later.js - sections far down the page: their modules are fetched when they come near to being seen, so that what stands
 * at the top is there sooner. */

/** @typedef {import('./state.js').Live} Live */
/** @typedef {import('./state.js').Section} Section */

const NEAR = '100px';

/**
 * @param {Live} live
 * @param {HTMLElement} node of the section; aria-busy until its code is there
 * @param {() => Promise<Section>} fetch
 */
export function later(live, node, fetch) {
    const watcher = new IntersectionObserver(
        async (entries) => {
            if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
            watcher.unobserve(node);
            try {
                const section = await fetch();
                live.sections.push(section);
                section.clear?.(); /* it begins with the run that is shown */
                node.ariaBusy = 'false';
            } catch (problem) {
                /* The server is gone: tried again when the section comes into view again. */
                if (!(problem instanceof TypeError)) throw problem;
                watcher.observe(node);
            }
        },
        { rootMargin: NEAR },
    );
    node.ariaBusy = 'true';
    watcher.observe(node);
}
