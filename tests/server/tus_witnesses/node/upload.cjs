// Does with tus-js-client what the one argument says, as JSON, and says what happened, a line of JSON for each event.
const fs = require('node:fs')
const tus = require('tus-js-client')

const { file, terminate, storage, ...options } = JSON.parse(process.argv[2])

function say(event) {
  process.stdout.write(JSON.stringify(event) + '\n')
}

function fail(error) {
  say({ event: 'error', status: error.originalResponse?.getStatus() ?? null, message: error.message })
  process.exitCode = 1
}

// Goes on where the client stopped that kept its URL in the same storage.
async function upload() {
  const upload = new tus.Upload(fs.createReadStream(file), {
    ...options,
    ...(storage && { urlStorage: new tus.FileUrlStorage(storage) }),
    onUploadUrlAvailable: () => say({ event: 'begun', url: upload.url }),
    onError: fail,
    onSuccess: () => say({ event: 'done', url: upload.url }),
  })
  const [previous] = storage ? await upload.findPreviousUploads() : []
  if (previous) upload.resumeFromPreviousUpload(previous)
  upload.start()
}

if (terminate) {
  tus.Upload.terminate(terminate, options).then(() => say({ event: 'done', url: terminate }), fail)
} else {
  upload()
}
