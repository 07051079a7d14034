// effects_table.mjs - what is measured of every setting: on which base, at which values.
//
// A base is a small run of a few seconds. An effect turns one setting of it (`dropout.pixels`: one part) to two values or more;
// where a value makes sense only beside others, `beside` says them. What stands in the base is measured once for all effects.

/** Of all bases: Fashion-MNIST, 10,000 images to train on, 5,000 held out to judge by. */
const COMMON = {
    dataset: 'fashion-mnist',
    train_limit: 15000,
    validation: 5000,
    evaluate_on: 'validation',
    evaluate_every: 1000000,
    train_error_samples: 1,
    layers: [200, 200],
    epochs: 4,
};

const GROUPS = { rule: 'class_groups', temperature: 0.35, predict: 'log_softmax', learning_rate: 0.004 };
const READOUT = { readout: 'softmax', readout_from: 0, predict: 'readout' };
const UNSUPERVISED = { rule: 'unsupervised', input: 'rms', input_scale: 1, temperature: 0.03, learning_rate: 0.001, ...READOUT };
const BACKPROP = { rule: 'backprop', layers: [200, 200, 10], normalize: 'none' };
const CONVOLUTION = (channels, kernel) => ({ kind: 'conv', channels, kernel, stride: 1, padding: (kernel - 1) / 2, pool: true });
const CONVOLUTIONS = {
    ...GROUPS,
    layers: [CONVOLUTION(20, 5), CONVOLUTION(40, 3), 200],
    input: 'standardize',
    input_scale: 1,
    normalize: 'channel_rms',
    batch_normalization: true,
    train_limit: 8000,
    epochs: 2,
};

/** @type {Record<string, {says: string, config: Record<string, any>}>} */
export const BASES = {
    pairs: { says: 'pairs, as the default has them', config: { ...COMMON } },
    symba: { says: 'pairs, SymBa', config: { ...COMMON, objective: 'symba' } },
    groups: { says: 'class groups', config: { ...COMMON, ...GROUPS } },
    readout: { says: 'pairs with a read-out that predicts', config: { ...COMMON, ...READOUT } },
    convolutions: { says: 'class groups on two convolutions, 3,000 images, 2 epochs', config: { ...COMMON, ...CONVOLUTIONS } },
};

const beside = (value, others) => ({ value, beside: others });

/**
 * A row an effect: setting, base, values. `shows` what is told of it: the error, the gap of the first layer, the share of the
 * time that evaluation took.
 * @type {{setting: string, base: string, values: any[], settings?: Record<string, any>, shows?: string[], seeds?: number[]}[]}
 */
export const EFFECTS = [
    { setting: 'dataset', base: 'pairs', values: ['fashion-mnist', 'mnist'] },
    { setting: 'train_limit', base: 'pairs', settings: { validation: 0, evaluate_on: 'test' }, values: [1000, 5000, 15000] },
    { setting: 'test_limit', base: 'pairs', settings: { evaluate_on: 'test' }, values: [500, 0], shows: ['error', 'evaluating'] },
    { setting: 'validation', base: 'pairs', settings: { evaluate_on: 'test' }, values: [0, 5000, 14000] },
    { setting: 'evaluate_on', base: 'pairs', values: ['test', 'validation'], shows: ['error'] },
    { setting: 'epochs', base: 'pairs', values: [1, 4, 12] },
    { setting: 'batch_size', base: 'pairs', values: [20, 100, 500] },
    { setting: 'shuffle', base: 'pairs', values: [false, true] },
    { setting: 'seed', base: 'pairs', values: [1, 2, 3, 4, 5], seeds: [] },
    { setting: 'layers', base: 'pairs', values: [[200], [200, 200], [800, 800], [200, 200, 200, 200]] },
    { setting: 'activation', base: 'pairs', values: ['relu', 'tanh'] },
    { setting: 'bias', base: 'pairs', values: [false, true] },
    { setting: 'init', base: 'pairs', values: ['he', 'glorot'] },
    { setting: 'init_gain', base: 'pairs', values: [0.3, 1, 3] },
    {
        setting: 'input',
        base: 'pairs',
        values: ['none', beside('standardize', { input_scale: 1 }), beside('rms', { input_scale: 1 })],
    },
    { setting: 'input_scale', base: 'pairs', values: [0.5, 3, 10] },
    { setting: 'label', base: 'pairs', values: ['prepend', 'overlay'] },
    { setting: 'label_scale', base: 'pairs', values: [0.5, 2, 8] },
    { setting: 'normalize', base: 'pairs', values: ['rms', 'none'] },
    { setting: 'normalize', base: 'convolutions', values: ['rms', 'channel_rms', 'none'] },
    { setting: 'batch_normalization', base: 'convolutions', values: [false, true] },
    {
        setting: 'rule',
        base: 'pairs',
        values: ['pairs', beside('class_groups', GROUPS), beside('unsupervised', UNSUPERVISED), beside('backprop', BACKPROP)],
    },
    { setting: 'objective', base: 'pairs', values: ['logistic', 'symba', 'gap'] },
    { setting: 'goodness', base: 'pairs', values: ['mean', 'sum', beside('sum', { threshold: 200, temperature: 20, negative_hardness: 0.15 })] },
    { setting: 'threshold', base: 'pairs', values: [0.2, 1, 5] },
    { setting: 'temperature', base: 'pairs', values: [0.02, 0.1, 0.5] },
    { setting: 'alpha', base: 'symba', values: [1, 4, 16] },
    { setting: 'negatives', base: 'pairs', values: ['random', 'hard'] },
    { setting: 'negatives', base: 'symba', values: ['random', 'hard'] },
    { setting: 'negative_hardness', base: 'pairs', values: [3, 30, 300] },
    { setting: 'label_smoothing', base: 'groups', values: [0, 0.1, 0.4] },
    { setting: 'forward_after_update', base: 'pairs', values: [false, true] },
    {
        setting: 'optimizer',
        base: 'pairs',
        values: [beside('sgd', { learning_rate: 0.02 }), beside('momentum', { learning_rate: 0.005 }), 'adam'],
    },
    { setting: 'learning_rate', base: 'pairs', values: [0.0003, 0.002, 0.02] },
    { setting: 'momentum', base: 'pairs', values: [0, 0.9, 0.99] },
    { setting: 'beta2', base: 'pairs', values: [0.9, 0.98, 0.999] },
    { setting: 'weight_decay', base: 'pairs', values: [0, 0.1, 1] },
    { setting: 'schedule', base: 'pairs', values: ['constant', 'linear', 'cosine', 'half'] },
    { setting: 'warmup', base: 'pairs', values: [0, 0.03, 0.5] },
    { setting: 'dropout.pixels', base: 'pairs', values: [0, 0.2, 0.5] },
    { setting: 'dropout.inputs', base: 'pairs', values: [0, 0.2, 0.5] },
    { setting: 'dropout.units', base: 'pairs', values: [0, 0.3, 0.6] },
    { setting: 'augment.shift', base: 'pairs', values: [0, 1, 4] },
    { setting: 'augment.rotate', base: 'pairs', values: [0, 10, 60] },
    { setting: 'augment.scale', base: 'pairs', values: [0, 0.1, 0.5] },
    { setting: 'augment.shear', base: 'pairs', values: [0, 0.1, 0.5] },
    { setting: 'augment.translate', base: 'pairs', values: [0, 1, 4] },
    { setting: 'augment.elastic', base: 'pairs', values: [0, 1, 3] },
    { setting: 'augment.flip', base: 'pairs', values: [false, true] },
    { setting: 'augment.erase', base: 'pairs', values: [0, 7, 14] },
    { setting: 'peer_normalization', base: 'pairs', values: [0, 0.03, 3] },
    { setting: 'average', base: 'pairs', values: [0, 0.99, 0.9999] },
    { setting: 'predict', base: 'readout', values: ['goodness', 'log_softmax', 'readout', 'readout_and_goodness'], shows: ['error'] },
    { setting: 'predict', base: 'groups', values: ['goodness', 'log_softmax'], shows: ['error'] },
    { setting: 'predict_from', base: 'pairs', values: [0, 1], shows: ['error'] },
    { setting: 'readout', base: 'pairs', values: ['none', 'softmax'] },
    { setting: 'readout_from', base: 'readout', values: [0, 1], shows: ['error'] },
    { setting: 'readout_learning_rate', base: 'readout', values: [0.0003, 0.002, 0.02], shows: ['error'] },
    { setting: 'evaluate_every', base: 'pairs', values: [1, 4], shows: ['error', 'evaluating'] },
    { setting: 'evaluate_samples', base: 'pairs', values: [500, 0], shows: ['error', 'evaluating'] },
    { setting: 'train_error_samples', base: 'pairs', values: [1, 0], shows: ['error', 'evaluating'] },
];

const SEEDS = [1, 2, 3];

/** What `path` ("dropout.pixels") set to `value` is of a configuration. */
function turned(path, value) {
    const [name, part] = path.split('.');
    return { [name]: part ? { [part]: value } : value };
}

/**
 * The configurations of an effect: a cell a value, and in it one for every seed.
 * @param {typeof EFFECTS[number]} effect
 */
export function cellsOf({ setting, base, values, settings = {}, seeds = SEEDS }) {
    return values.map((each) => {
        const cell = each !== null && typeof each === 'object' && 'value' in each ? each : { value: each };
        const { [setting]: _, ...others } = cell.beside ?? {};
        const config = { ...BASES[base].config, ...settings, ...others, ...turned(setting, cell.value) };
        const told = Object.keys(others).length ? { beside: others } : {};
        return { value: cell.value, ...told, configs: seeds.length ? seeds.map((seed) => ({ ...config, seed })) : [config] };
    });
}
