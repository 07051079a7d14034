/* keys.js - keys that do something on the whole page, wherever nothing else takes them. */

/* What takes every key: fields, what lies over the page, and what says so while it has the focus itself. */
const TAKING = 'input, select, textarea, dialog, [popover], [data-keys]:focus';
/* What Space presses or unfolds. */
const PRESSED = 'button, summary, a';

/** @param {Record<string, () => void>} actions by key */
export function prepareKeys(actions) {
    document.addEventListener('keydown', (event) => {
        const target = /** @type {HTMLElement} */ (event.target);
        /* A field of a dialog closed this moment may still have the focus: it is not seen, so it takes nothing. */
        const taken = target.checkVisibility() && target.closest(event.key === ' ' ? `${TAKING}, ${PRESSED}` : TAKING);
        if (taken || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
        if (!(event.key in actions)) return;
        event.preventDefault();
        actions[event.key]();
    });
}
