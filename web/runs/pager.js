/* pager.js - which rows of how many are shown, and the way to the others. */

import { element, setText } from '../lib/dom.js';
import { count } from '../lib/format.js';

export class Pager {
    #pages = 1;

    /** @param {{page: number, size: number}} view changed in place @param {() => void} changed */
    constructor(view, changed) {
        const size = /** @type {HTMLSelectElement} */ (element('page-size'));
        const go = (/** @type {() => number} */ to) => () => {
            this.view.page = Math.max(1, Math.min(this.#pages, to()));
            changed();
            element('list-box').scrollTop = 0;
        };
        this.view = view;
        element('page-first').addEventListener(
            'click',
            go(() => 1),
        );
        element('page-before').addEventListener(
            'click',
            go(() => this.view.page - 1),
        );
        element('page-next').addEventListener(
            'click',
            go(() => this.view.page + 1),
        );
        element('page-last').addEventListener(
            'click',
            go(() => this.#pages),
        );
        size.addEventListener('change', () => {
            const first = (this.view.page - 1) * this.view.size;
            this.view.size = Number(size.value);
            this.view.page = Math.floor(first / this.view.size) + 1;
            changed();
        });
    }

    /**
     * The part of these that is on the page now.
     * @template T
     * @param {T[]} all
     * @returns {T[]}
     */
    take(all) {
        const { view } = this;
        this.#pages = Math.max(1, Math.ceil(all.length / view.size));
        const page = Math.min(view.page, this.#pages);
        const first = (page - 1) * view.size;
        const part = all.slice(first, first + view.size);
        this.#draw(page, first, part.length, all.length);
        return part;
    }

    /** @param {number} page @param {number} first @param {number} here @param {number} all */
    #draw(page, first, here, all) {
        const disable = (/** @type {string} */ id, /** @type {boolean} */ off) =>
            element(id).toggleAttribute('disabled', off);
        setText(element('page-range'), all ? `${count(first + 1)}–${count(first + here)} of ${count(all)}` : '');
        /** @type {HTMLSelectElement} */ (element('page-size')).value = String(this.view.size);
        element('pager').hidden = all <= 25;
        disable('page-first', page <= 1);
        disable('page-before', page <= 1);
        disable('page-next', page >= this.#pages);
        disable('page-last', page >= this.#pages);
    }
}
