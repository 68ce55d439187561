// Runs a TensorFlow.js graph model on every example, one at a time:
//   node tfjs.js MODEL_FOLDER TENSORS_FOLDER ANSWERS_FILE
// NODE_PATH says where the packages are. WebAssembly on one thread, and plain
// JavaScript where that lacks an op.
'use strict';

const fs = require('fs');
const path = require('path');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

const MARK = 'graft-export-refused: ';

function readModel(folder) {
  const model = JSON.parse(fs.readFileSync(path.join(folder, 'model.json'), 'utf8'));
  const files = model.weightsManifest.flatMap((group) => group.paths);
  const bytes = Buffer.concat(files.map((file) => fs.readFileSync(path.join(folder, file))));
  return tf.io.fromMemory({
    modelTopology: model.modelTopology,
    format: model.format,
    signature: model.signature,
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  });
}

function* readExamples(folder) {
  const index = JSON.parse(fs.readFileSync(path.join(folder, 'tensors.json'), 'utf8'));
  const files = Object.entries(index.tensors).map(([name, one]) => ({
    name,
    dtype: one.dtype,
    shape: [1, ...one.shape],
    count: one.shape.reduce((product, size) => product * size, 1),
    file: fs.openSync(path.join(folder, `${name}.bin`), 'r'),
  }));
  for (let row = 0; row < index.examples; row++) {
    const inputs = {};
    for (const {name, dtype, shape, count, file} of files) {
      const bytes = new ArrayBuffer(4 * count);
      fs.readSync(file, new Uint8Array(bytes), 0, 4 * count, 4 * count * row);
      const values = dtype === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes);
      inputs[name] = tf.tensor(values, shape, dtype);
    }
    yield inputs;
  }
}

async function run(backend, modelFolder, tensorsFolder) {
  await tf.setBackend(backend);
  await tf.ready();
  const model = await tf.loadGraphModel(readModel(modelFolder));
  const answers = {outputs: [], milliseconds: [], runtime: `${backend}, tfjs ${tf.version.tfjs}`};
  for (const inputs of readExamples(tensorsFolder)) {
    const start = performance.now();
    const output = await model.predictAsync(inputs);
    const values = await output.array();
    answers.milliseconds.push(performance.now() - start);
    answers.outputs.push(values[0]);
    tf.dispose([inputs, output]);
  }
  return answers;
}

async function main([modelFolder, tensorsFolder, answersFile]) {
  const scripts = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  wasm.setWasmPaths(path.join(scripts, 'wasm-out', path.sep));
  wasm.setThreadsCount(1);
  let answers;
  try {
    answers = await run('wasm', modelFolder, tensorsFolder);
  } catch (error) {
    if (!/not registered for the backend|not supported/.test(error.message)) throw error;
    answers = await run('cpu', modelFolder, tensorsFolder);
  }
  fs.writeFileSync(answersFile, JSON.stringify(answers));
}

main(process.argv.slice(2)).catch((error) => {
  console.log(error.stack);
  console.log(MARK + 'it does not run in TensorFlow.js: ' + String(error.message).split('\n')[0]);
  process.exit(1);
});
