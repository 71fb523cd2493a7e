/** Four rows of packet_encoding_test_vectors.csv of BIP324 (bitcoin/bips, BSD-2-Clause). Hex throughout. */
export interface Bip324Vector {
  /** The packet's number in the stream: so many were encrypted before it. */
  readonly index: number;
  readonly privateKey: string;
  readonly ourKey: string;
  readonly theirKey: string;
  readonly initiating: boolean;
  readonly contents: string;
  readonly multiply: number;
  readonly aad: string;
  readonly ignore: boolean;
  readonly sharedSecret: string;
  readonly initiatorLength: string;
  readonly initiatorPacket: string;
  readonly responderLength: string;
  readonly responderPacket: string;
  readonly sendTerminator: string;
  readonly receiveTerminator: string;
  readonly sessionId: string;
  readonly ciphertext: string | null;
  readonly ciphertextEnd: string | null;
}

export const BIP324_VECTORS: readonly Bip324Vector[] = [
  {
    index: 1,
    privateKey: 'e79f04ad4c684525ff3e3cf7c19f4cdb11193d387d7f3fe82a948a0c3165f5fe',
    ourKey:
      '4eff53ea1945e57b5d170565e760d771e5d496101c1005c302fd687af80d8b858c5a681c474fc4c0546ee464a1b95899ecb9d4f50c2c0854fe029fc054ae6777',
    theirKey:
      '824a1da0530fa695b95b375fee2a56ec96ce375ddd2fcf8367cc8ec1c0b751a3304bbef5dc96543acaac50c24be8cb39906ef8521727de0c6e96c2060a026bd7',
    initiating: true,
    contents: '1f',
    multiply: 1,
    aad: '',
    ignore: false,
    sharedSecret: '05ac09c882b2cddd57fd4a1a14f93ae78d78a2ab2adb8cb6d67176cdb3101e15',
    initiatorLength: 'c845747c92a2f0d83058ccceee69322cfd84cf3b086c30790f2a8789b303defc',
    initiatorPacket: '3d0c55fa080de10236da830c7b092f63f6897c5243259adcedc4288a847ee9bc',
    responderLength: 'f32949925481a88ad5246c408aeb8b9c0dc5dbc21fd6e5484331e1c0cd0ef6d6',
    responderPacket: '5b94f3fce2b276e9d7ef5646657e61dbbc8ea27a9bf531ce23c553de1fdfd27d',
    sendTerminator: '38d7b65a6d58a08b2506e799caacd4f6',
    receiveTerminator: 'd6156094782d98fa27f37758dcd0677f',
    sessionId: '4418cf03c0d7cd5849022a7976014f234b4d4f5c18a6d3a6540c11e01a7180c1',
    ciphertext: 'd88ea86cdd6b61592e038741b474eeef0de0802412',
    ciphertextEnd: null,
  },
  {
    index: 999,
    privateKey: '53a915e6d8f6c5bbb93e537081085e9e642dc525649acf05be74e3a825e20921',
    ourKey:
      '715d7b8357dd4d15a07b3f8c6764ebd9927140f75047fb50478c33ea8889d710511cdf39aa0fd6b1e94ea660d87f9d97bffc548646f9e2aaebc1468fe563fb97',
    theirKey:
      'cea7abc3112397b894bd3e89a615248af473f897bbdd30997c20e53e7ce499a295e55c4c5655cd3d21191e76c8af0aa1bbea10fd1b540a42d0fbed388dc59877',
    initiating: false,
    contents: 'e4',
    multiply: 1,
    aad: '',
    ignore: false,
    sharedSecret: '08cbe6a86ff92a9757b2aeea92b8b2f4d78426786a2caec99c3cc73d7dda47ab',
    initiatorLength: '953a372f0d3933afef342fec533fa4fed644cc1cbc9252d31883e10fbca9b81a',
    initiatorPacket: 'e8c1759d865d59f37e5cf0404296fb0530f0fc601ad783853791e5459ca7f135',
    responderLength: '52925c95091e7dac8e580e9a0548e18915e01919a416c5aac22096b8bab17c31',
    responderPacket: 'ba778684047d705839590c466daef7c0ac53a3f8790b9744f154712e5644c647',
    sendTerminator: '0442c66254045c5018d828d42afaa69f',
    receiveTerminator: '930c6d7cbf8c7c2006ed287c2ba6d941',
    sessionId: '9619dd4731d6160617da82da407c80732455a67b59ad7be07f86252aadb79440',
    ciphertext: '0d5892533b0453c777d5ff3f217c94297e7927bb45',
    ciphertextEnd: null,
  },
  {
    index: 255,
    privateKey: 'f360308206fb441c7713b1a24ba4096a2fa0d5401411198b7008f82ae85257fe',
    ourKey:
      '3d4aa6a71a8a734e014b4d9e6b62989f022c1e2238ae476b11465cb86fe8cf7243db6f9472e188590705cf9b35121e06e57cb106a6043ab147b7c73871da8222',
    theirKey:
      'f0ebc3c872339622fbf2ab1b8aa2117c4d752b64eac9203962c03a47497a89c0dd298348e5bb63d3433c48ed6da6bc2e2dbe78f7b91247dd29f1f51a858d464a',
    initiating: false,
    contents:
      'b766200432932708a77dd15337bf70ca58397907a1cd31ecd1b43fab27fa0de0e85d5c4dea99543e79a75b149d325044934efccf679a764f683b2fbcb7c6dc4baea9797554779aff937f5195c172892c38dc423bc809885e5a19d07733e7c5f5806ffb865074cf2c46fbb5be4f9b5833c6829b8217ccb301dad7cb49e4fbcad1',
    multiply: 1,
    aad: '',
    ignore: true,
    sharedSecret: '07eff272cd331aeb14db342b82f6df98303b01471f4dbe71028b127577216d9b',
    initiatorLength: '74ee2a5f9221cb386e587ac9a0c724bc6f65ea04cf3b0686c10b3e39e66bca02',
    initiatorPacket: '35d93b912c54f3d28f834ee96a787f76f84b543fc231a45242fa4953b89cfc9f',
    responderLength: '70c4abb811bb6c209c6f108be383f67c8a14cd2dd25815f6156e6c3edd7d1e3d',
    responderPacket: '3a16c6f3ff6f2b735b89d2af77c94b9dd328f5330e1283627835d32c5c856446',
    sendTerminator: 'e09f7df050a3f76bc8d5a21697fefb9b',
    receiveTerminator: 'b8951fd528743d2e8625de363d9ae0e7',
    sessionId: 'b1d1e3ae7d9337f31a410986fe6e377726eb0f2334f24d66b38ec4d29529d1a5',
    ciphertext:
      '98178b6e498f808c90b098c8ceb09c5630d50925323d051d379adb85be9e3b7d3e5a4c0eafa3fb69abcf60e631262278395c4ec017b1a2c8b4aa6a25e65afa99ea3e73038d152b392b2f754a655f3fd034fd633e7889072c3e1351bff97494a6737785a00016c294e0f62219eb6becfcd14e5f81841118275a460780178b050615ab02e56efc0c777844620ba3de42bb54674842',
    ciphertextEnd: null,
  },
  {
    index: 769,
    privateKey: '810159fc6708a85aa9d6c8e7c4f8c587056594910174c0309b2c323055efaa6a',
    ourKey:
      '2a875927b98fd441d8c469f6902c167eb440e52d3331a4b7406f21cad216e80917401ddb8795a9706fe42a7ddfca70fee7240b1e918b9f32414b8b26e611d571',
    theirKey:
      '758bcf0381c0a1c35a174503a43b08f79eb407aa61eb9e6579a62400d4a13f8d3cef884728c34cb79c7f088b4d4e735ce796361e71bd8b66d637f56326b49af3',
    initiating: false,
    contents: '0f492bc40bc635ca20a46c6fd97b7de536f8326e677e0dcf9ed91e4c7873ec903198010f7cf0ff1595',
    multiply: 97_561,
    aad: '',
    ignore: false,
    sharedSecret: '17624a0ed455d13430bf27337e27a1d55402cb1c7ebb32a4a66b3ef2f9947f1d',
    initiatorLength: 'aeb3befd6841f8ec867e154424b5c6d49ad3fc1f789e7d3048750302c5d89c09',
    initiatorPacket: '80033fb9014f1a407e46d35cf36a7c4245e55e6a810abaaad88ec5d25f89443f',
    responderLength: '65b0f93ac2a34327a4aacf14c2c54d92210294b425c3b6bb4ced8c44dad80457',
    responderPacket: '4893a9b0ec706fcc7a05c1fed011ced86afd7324c63537e49ec2974df481a83c',
    sendTerminator: '330b7aae0e4d13f5806bc1f696042155',
    receiveTerminator: 'd514d7861e65ced36c7ea6ad2a8f6938',
    sessionId: '2ad4f52fd2a9cd078c0664dc4ba33904095d4affb5227fbc779662ca6140376c',
    ciphertext: null,
    ciphertextEnd:
      '6847b3398e11ee1ddab092d6a994a7246802bb3140ecbd4d8495f36abb5aa3e0aa325f02b5be69e4ad546356c453003949ea9d2adfb169004fe37da65b247ffbf021e9109d6d090b224bd4f51b803955be2fd7fdd0e198f89d903deba9be904cd6d769bbd4f1b5b609be95a9b6db2c2a6fcff029899cea13196330a433277c96a069fa8b6590d921da84172adf1b23fb76eb6cec95f8bcd6b497777eb2b44dd15440f430d3f9ea8729ea5598df46b299cff81729d3fca241872e61b84945c70189189f5',
  },
];
