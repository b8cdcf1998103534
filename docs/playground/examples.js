// Written by npm run tables: a link of each scheme, from the test vectors.
globalThis.EXAMPLES = [
  {
    "scheme": "adonis",
    "link": "https://app.example/users?signature=eyJtZXNzYWdlIjoiL3VzZXJzIiwiZXhwaXJ5RGF0ZSI6IjIwMjYtMDEtMDFUMDE6MDA6MDAuMDAwWiJ9.wKBiktG-n7Gfv5qgORzoFxaG5ihVrXhzReD4HJs39cg",
    "key": {
      "secret": "Yq2w7c0pVb9XkT4nLs8RzE1uGmHd6JfA"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "akamai",
    "link": "https://edge.example.com/akamai/edgeauth?__token__=exp=1767229200~hmac=f093689717b65f5ec6f417866dff8c8afd48cd693c12ccc6fe4a72d8ee8dfa5c",
    "key": {
      "secret": "aabbccddeeff00112233445566778899"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "alibabaCdn",
    "link": "http://cdn.example.com/video/standard/1K.html?auth_key=1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f"
  },
  {
    "scheme": "azure",
    "link": "https://myaccount.blob.core.windows.net/mycontainer/dir/file.txt?sv=2026-04-06&se=2030-01-02T03%3A04%3A05Z&sr=b&sp=r&sig=esdr37CnEhrAVEbBfbTWDB5Uv%2Fvu0RK9MqNvY5dGpyk%3D",
    "key": {
      "id": "myaccount",
      "secret": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    },
    "visit": {
      "now": "2029-12-31T12:00:00Z"
    }
  },
  {
    "scheme": "bunny",
    "link": "https://token-tester.b-cdn.net/300kb.jpg?token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587",
    "key": {
      "secret": "SecurityKey"
    },
    "visit": {
      "now": "2020-08-21T15:43:06Z"
    }
  },
  {
    "scheme": "bytescale",
    "link": "https://upcdn.io/W142hJk/raw/example.jpg?exp=1748204711&sig=1.BMCyGyFk.-CHIEOAxI1LtFnvCAiYz-SH25mk3jv8-kmYFDSeSdfE",
    "key": {
      "id": "BMCyGyFk",
      "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    },
    "visit": {
      "now": "2024-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "cloudCdn",
    "link": "http://35.186.234.33/index.html?Expires=1549751401&KeyName=my-key&Signature=CRFqQnVfFyiUyR63OQf-HRUpIwc=",
    "key": {
      "id": "my-key",
      "secret": "nZtRohdNF9m3cKM24IcK4w=="
    },
    "visit": {
      "now": "2019-02-09T22:30:00Z"
    }
  },
  {
    "scheme": "cloudflareImages",
    "link": "https://imagedelivery.net/cheeW4oKsx5ljh8e8BoL2A/bc27a117-9509-446b-8c69-c81bfeac0a01/mobile?exp=2147483648&sig=40a6574474ee370fa5a0d46bb3b0e8a714340d1d42b0a73c8065dea6e7ab9bbf",
    "key": {
      "secret": "images-signing-key-1"
    },
    "visit": {
      "now": "2020-09-13T12:26:40Z"
    }
  },
  {
    "scheme": "cloudflare",
    "link": "https://a.example/images/cat.jpg?verify=1767225600-KPZRgQTUfZMDgenoZpH8%2FxA2u79WSjyLy2V2tQmnsNQ%3D"
  },
  {
    "scheme": "cloudfront",
    "link": "https://d111111abcdef8.cloudfront.net/image.jpg?Expires=1767229200&Key-Pair-Id=K2JCJMDEHXQW5F&Signature=ogt9Dodi13exXiKFOYi6wgq8OwCKeHZKVXQmLoEQc8Tq-2xj3U37BxZVTqfWXOBp8Irr5I6z4RpA6lJW5H~oo2nYe8zoSxRXwFsSAvCCy0AFTBZSTXsRNQ9BzZWeIRu~~WXRyQGleWwzDN271qal7y4qIamOfjTz0nkoMEFvWKlcMWiLSSr1WVhV8ipoYEW2T3HQeJlU2L22YeIoDWzlvZDWkPJ7W4W6Ms9n9JiWGBv-HZL~nR8AQ6IhqirNVYJcMxJpJ32C2jtrDL8cBchAPF2gXdGIi~RvuiqqFakzcaV3DZBIv5iSra5wCVwVhuXuw1fhedjsgZzTsVsClweniw__",
    "key": {
      "id": "K2JCJMDEHXQW5F",
      "secret": "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvlokDRJQucB5mI+csJBn\nqDGP3x9ctr+jncDpktPj44RxkjOFxrlKpMlr5+B7VkVbuB4ADlEtDk/tNwfK6p3/\n70dcIax/wcrTljXX1HJwIqqS4io4+cly+has3J8xUrgdvEni1a3EutzQ6fHmy5s0\nJLuUW2GSzEPojeq9wdOUfVHyjX83lgUUB4QXIUhjhbkPexE7xGJ5bzJC2MhudY1v\nPyCD32Oz504H3REJgnxcQGxqLVjfKQqHh9h3aNe6v+tqZNG92n0gBh4rr0C8XYyx\nlLCUmR/hXyE3fgUCVWcUOS7PSCT/CObWmVTR723iFlc5TEq4cBJ1hwUAm9eEN+zT\nMQIDAQAB\n-----END PUBLIC KEY-----\n"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "cloudinary",
    "link": "https://res.cloudinary.com/test123/image/upload/s--v2fTPYTu--/sample.jpg",
    "key": {
      "secret": "b"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "fastly",
    "link": "https://www.example.com/foo/bar.html?token=1441307151_2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7",
    "key": {
      "secret": "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24="
    },
    "visit": {
      "now": "2015-09-01T00:00:00Z"
    }
  },
  {
    "scheme": "gcsRsa",
    "link": "https://storage.googleapis.com/test-bucket/test-object?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=test-iam-credentials%40dummy-project-id.iam.gserviceaccount.com%2F20190201%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20190201T090000Z&X-Goog-Expires=10&X-Goog-SignedHeaders=host&X-Goog-Signature=95e6a13d43a1d1962e667f17397f2b80ac9bdd1669210d5e08e0135df9dff4e56113485dbe429ca2266487b9d1796ebdee2d7cf682a6ef3bb9fbb4c351686fba90d7b621cf1c4eb1fdf126460dd25fa0837dfdde0a9fd98662ce60844c458448fb2b352c203d9969cb74efa4bdb742287744a4f2308afa4af0e0773f55e32e92973619249214b97283b2daa14195244444e33f938138d1e5f561088ce8011f4986dda33a556412594db7c12fc40e1ff3f1bedeb7a42f5bcda0b9567f17f65855f65071fabb88ea12371877f3f77f10e1466fff6ff6973b74a933322ff0949ce357e20abe96c3dd5cfab42c9c83e740a4d32b9e11e146f0eb3404d2e975896f74",
    "key": {
      "id": "test-iam-credentials@dummy-project-id.iam.gserviceaccount.com",
      "secret": "-----BEGIN PRIVATE KEY-----\nMIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCsPzMirIottfQ2\nryjQmPWocSEeGo7f7Q4/tMQXHlXFzo93AGgU2t+clEj9L5loNhLVq+vk+qmnyDz5\nQ04y8jVWyMYzzGNNrGRW/yaYqnqlKZCy1O3bmnNjV7EDbC/jE1ZLBY0U3HaSHfn6\nS9ND8MXdgD0/ulRTWwq6vU8/w6i5tYsU7n2LLlQTl1fQ7/emO9nYcCFJezHZVa0H\nmeWsdHwWsok0skwQYQNIzP3JF9BpR5gJT2gNge6KopDesJeLoLzaX7cUnDn+CAnn\nLuLDwwSsIVKyVxhBFsFXPplgpaQRwmGzwEbf/Xpt9qo26w2UMgn30jsOaKlSeAX8\ncS6ViF+tAgMBAAECggEACKRuJCP8leEOhQziUx8Nmls8wmYqO4WJJLyk5xUMUC22\nSI4CauN1e0V8aQmxnIc0CDkFT7qc9xBmsMoF+yvobbeKrFApvlyzNyM7tEa/exh8\nDGD/IzjbZ8VfWhDcUTwn5QE9DCoon9m1sG+MBNlokB3OVOt8LieAAREdEBG43kJu\nyQTOkY9BGR2AY1FnAl2VZ/jhNDyrme3tp1sW1BJrawzR7Ujo8DzlVcS2geKA9at7\n55ua5GbHz3hfzFgjVXDfnkWzId6aHypUyqHrSn1SqGEbyXTaleKTc6Pgv0PgkJjG\nhZazWWdSuf1T5Xbs0OhAK9qraoAzT6cXXvMEvvPt6QKBgQDXcZKqJAOnGEU4b9+v\nOdoh+nssdrIOBNMu1m8mYbUVYS1aakc1iDGIIWNM3qAwbG+yNEIi2xi80a2RMw2T\n9RyCNB7yqCXXVKLBiwg9FbKMai6Vpk2bWIrzahM9on7AhCax/X2AeOp+UyYhFEy6\nUFG4aHb8THscL7b515ukSuKb5QKBgQDMq+9PuaB0eHsrmL6q4vHNi3MLgijGg/zu\nAXaPygSYAwYW8KglcuLZPvWrL6OG0+CrfmaWTLsyIZO4Uhdj7MLvX6yK7IMnagvk\nL3xjgxSklEHJAwi5wFeJ8ai/1MIuCn8p2re3CbwISKpvf7Sgs/W4196P4vKvTiAz\njcTiSYFIKQKBgCjMpkS4O0TakMlGTmsFnqyOneLmu4NyIHgfPb9cA4n/9DHKLKAT\noaWxBPgatOVWs7RgtyGYsk+XubHkpC6f3X0+15mGhFwJ+CSE6tN+l2iF9zp52vqP\nQwkjzm7+pdhZbmaIpcq9m1K+9lqPWJRz/3XXuqi+5xWIZ7NaxGvRjqaNAoGAdK2b\nutZ2y48XoI3uPFsuP+A8kJX+CtWZrlE1NtmS7tnicdd19AtfmTuUL6fz0FwfW4Su\nlQZfPT/5B339CaEiq/Xd1kDor+J7rvUHM2+5p+1A54gMRGCLRv92FQ4EON0RC1o9\nm2I4SHysdO3XmjmdXmfp4BsgAKJIJzutvtbqlakCgYB+Cb10z37NJJ+WgjDt+yT2\nyUNH17EAYgWXryfRgTyi2POHuJitd64Xzuy6oBVs3wVveYFM6PIKXlj8/DahYX5I\nR2WIzoCNLL3bEZ+nC6Jofpb4kspoAeRporj29SgesK6QBYWHWX2H645RkRGYGpDo\n51gjy9m/hSNqBbH2zmh04A==\n-----END PRIVATE KEY-----\n"
    },
    "visit": {
      "now": "2019-02-01T09:00:00Z"
    }
  },
  {
    "scheme": "gcs",
    "link": "https://storage.googleapis.com/test-bucket/test-object?X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential=GOOG1EXAMPLEACCESSKEYID0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ012345%2F20190201%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20190201T090000Z&X-Goog-Expires=10&X-Goog-SignedHeaders=host&aA0%C3%A9%2F%3D%25-_.~=~%20._-%25%3D%2F%C3%A90Aa&X-Goog-Signature=967fdfa736c18a1db07492d75765c69d34851fc38ac81baaae804ea9924eea68",
    "key": {
      "id": "GOOG1EXAMPLEACCESSKEYID0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
      "secret": "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ"
    },
    "visit": {
      "now": "2019-02-01T09:00:05Z"
    }
  },
  {
    "scheme": "googleMaps",
    "link": "http://maps.googleapis.com/maps/api/geocode/json?address=New+York&client=clientID&signature=chaRF2hTJKOScPr-RQCEhZbSzIE=",
    "key": {
      "secret": "vNIXE0xscrmjlyV-12Nj_BvUPaw="
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "hmac",
    "link": "https://cdn.example/report.pdf?page=2&expires=1900000000&signature=Dx99ZfjYR1y9GfDn_7hX69C_ruzYxH4BlkNA3MCyDUA",
    "key": {
      "secret": "0123456789abcdef0123456789abcdef"
    },
    "visit": {
      "now": "2027-01-15T08:00:00Z"
    }
  },
  {
    "scheme": "imagekit",
    "link": "https://ik.imagekit.io/any/a/b.png?ik-t=1767229200&ik-s=1b0c0f46ac097d2ed1bef2a770b00b238a43568d",
    "key": {
      "secret": "dummy-key"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "imgix",
    "link": "https://testing.imgix.net/users/1.png?w=400&h=300&s=3ebdf8e1af9157c60acd1ac623ef58cd",
    "key": {
      "secret": "EHFQXiZhxP4wA2c4"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "imgproxy",
    "link": "https://imgproxy.example.com/6tnF7FN9vbRo14ixugxkNqi7TBRk_o59lPX31LP-0vw/w:10/plain/http://img.example.com/a b+c%2Fd.jpg"
  },
  {
    "scheme": "jwt",
    "link": "https://project.supabase.co/storage/v1/object/sign/avatars/folder/cat.jpg?token=eyJhbGciOiJIUzI1NiJ9.eyJ1cmwiOiJhdmF0YXJzL2ZvbGRlci9jYXQuanBnIiwic2NvcGUiOiJkb3dubG9hZCIsImlhdCI6MTc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwfQ.gSbzHt4Hj-Ds4nJa_BNl2HgalS-estMBjye8XRdMLQM",
    "key": {
      "secret": "0123456789abcdef0123456789abcdef"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "keycdn",
    "link": "https://yourzone-id.kxcdn.com/path/to/file1.jpg?token=JHx-Bm7y6XCxXHLYHlGSfQ&expire=1767229200",
    "key": {
      "secret": "securetokenkey"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "laravel",
    "link": "https://app.example.com/unsubscribe/1?signature=5bf144f5e30cafa054d758155feccec444a3d7a4a6d4ec9409e62584d7a798c6",
    "key": {
      "secret": "0123456789abcdef0123456789abcdef"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "mediaCdn",
    "link": "http://10.20.30.40/x?hdnts=URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e",
    "key": {
      "secret": "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8="
    },
    "visit": {
      "now": "2022-09-13T11:59:59Z"
    }
  },
  {
    "scheme": "nginxHmac",
    "link": "https://files.test/a?x=1&st=301vy_pKjSF0N4hBpMR_h8ElzvD2HU9Jb_EiWJiM4cc&ts=1767225600&e=60",
    "key": {
      "secret": "my_secret_key"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "nginx",
    "link": "/s/link?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647",
    "key": {
      "secret": "secret"
    },
    "visit": {
      "ip": "127.0.0.1",
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "ossV4",
    "link": "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject?x-oss-credential=LTAI5tEXAMPLE%2F20260101%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&x-oss-date=20260101T000000Z&x-oss-expires=3600&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=4ac2bc814397dfe95a310ee8094e7add8d27f73580dd5fc315eea4507002983c",
    "key": {
      "id": "LTAI5tEXAMPLE",
      "secret": "yourAccessKeySecretEXAMPLE"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "pichax",
    "link": "https://app.pichax.dev/api/v1/generate/identicon?key=key123&expires=1725168000&id=img123&signature=3e42fdf01767fca8d0db0f9832cd00bd8804dc245624d7a91332fb6502d9d332&name=PichaX",
    "key": {
      "id": "key123",
      "secret": "secret123"
    },
    "visit": {
      "now": "2024-09-01T05:19:59Z"
    }
  },
  {
    "scheme": "qiniu",
    "link": "http://78re52.com1.z0.glb.clouddn.com/resource/flower.jpg?e=1451491200&token=MY_ACCESS_KEY:438dd8pXocjYuF-6dTcKMtETB2g=",
    "key": {
      "id": "MY_ACCESS_KEY",
      "secret": "MY_SECRET_KEY"
    },
    "visit": {
      "now": "2015-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "s3",
    "link": "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    "key": {
      "id": "AKIAIOSFODNN7EXAMPLE",
      "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    },
    "visit": {
      "now": "2013-05-24T12:00:00Z"
    }
  },
  {
    "scheme": "s3v2",
    "link": "https://johnsmith.s3.amazonaws.com/photos/puppy.jpg?AWSAccessKeyId=0PN5J17HBGZHT7JJ3X82&Signature=rucSbH0yNEcP9oM2XNlouVI3BH4%3D&Expires=1175139620",
    "key": {
      "id": "0PN5J17HBGZHT7JJ3X82",
      "secret": "uV3F3YluFJax1cknvbcGwgjvx4QpvB+leU8dUj2o"
    },
    "visit": {
      "now": "2007-03-29T03:40:10Z"
    }
  },
  {
    "scheme": "signed",
    "link": "https://app.example/resource?signed=r_0-e_1767229200-50b713e14e6c03a3cd1f7919535684c9da333026",
    "key": {
      "secret": "Xd<dMf72sj;6"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "symfony",
    "link": "http://example.com/foo?_hash=rIOcC%2FF3DoEGo%2FvnESjSp7uU9zA9S%2F%2BOLhxgMexoPUM%3D&baz=bay&foo=bar",
    "key": {
      "secret": "foobar"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "tencentCdn",
    "link": "http://cloud.tencent.com/test.jpg?sign=1767225600-0-0-75c9513adf1cae1a96b16972c6d88428"
  },
  {
    "scheme": "tencentCos",
    "link": "https://examplebucket-1250000000.cos.ap-beijing.myqcloud.com/a.txt?q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE0123456789abcdef&q-sign-time=1767225599;1767229199&q-key-time=1767225599;1767229199&q-header-list=host&q-url-param-list=&q-signature=8cb3eeeaaf89ef275e5d11b7eee0edfc2e4bad8f",
    "key": {
      "id": "AKIDEXAMPLE0123456789abcdef",
      "secret": "cos/Secret+0123456789abcdef"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "thumbor",
    "link": "https://thumbor.example/felS5KuxSSlDRqfjwWFPAWkAOSc=/300x200/smart/my.server.com/a.jpg",
    "key": {
      "secret": "my-security-key"
    },
    "visit": {
      "now": "2026-01-01T00:00:00Z"
    }
  },
  {
    "scheme": "upyun",
    "link": "http://image-blog.test.upcdn.net/404.jpg?_upt=bcc3b8331545271510",
    "key": {
      "secret": "mark520"
    },
    "visit": {
      "now": "2018-12-20T00:00:00Z"
    }
  }
]
